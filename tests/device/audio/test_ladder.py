from __future__ import annotations

import logging

import numpy as np
import pytest

from device.audio.block import SILENCE, Samples
from device.audio.echo import Aec3, EchoControl, EchoMode, HalfDuplex
from device.audio.ladder import WARM_UP, EchoLadder, guarded
from device.audio.level import NOTHING, energies, rms_dbfs
from tests.device.audio.sound import blocks, speech, tone


class Canceller:
    """Takes out as many dB as the test says."""

    mode = EchoMode.AEC3

    def __init__(self, decibels: float) -> None:
        self.decibels = decibels

    def process(self, near: Samples, far: Samples) -> Samples:
        loss = self.decibels if far.any() else 0.0
        reduced: Samples = np.rint(near * 10 ** (-loss / 20)).astype(np.int16)
        return reduced


def run(ladder: EchoLadder, seconds: float, near: Samples | None = None) -> list[Samples]:
    far = blocks(tone(seconds))
    return [ladder.process(block if near is None else near, block) for block in far]


def test_a_canceller_that_does_too_little_is_replaced_and_trusted_again_when_it_is_better(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def modes() -> list[EchoMode]:
        return [ladder.mode]

    canceller = Canceller(5.0)
    ladder = EchoLadder(canceller)
    with caplog.at_level(logging.WARNING):
        run(ladder, 7.0)
    assert modes() == [EchoMode.HALF_DUPLEX]
    assert "half-duplex from now on" in caplog.text
    assert not any(block.any() for block in run(ladder, 1.0))
    canceller.decibels = 15.0
    run(ladder, 6.0)
    assert modes() == [EchoMode.HALF_DUPLEX], "between the two limits nothing changes"
    canceller.decibels = 30.0
    run(ladder, 6.0)
    assert modes() == [EchoMode.AEC3]
    canceller.decibels = 15.0
    run(ladder, 6.0)
    assert modes() == [EchoMode.AEC3]
    assert ladder.falls == 1


def test_the_first_second_of_the_robots_voice_finds_the_microphone_closed() -> None:
    ladder = EchoLadder(Canceller(3.0))
    assert ladder.process(tone(0.02), SILENCE).any()
    heard = run(ladder, 1.5)
    assert not any(block.any() for block in heard[1 : WARM_UP - 1])
    assert all(block.any() for block in heard[WARM_UP:])


def test_a_speaker_that_nobody_hears_leaves_the_microphone_open() -> None:
    ladder = EchoLadder(Canceller(0.0))
    run(ladder, 10.0, near=tone(0.02, amplitude=20))
    assert ladder.mode is EchoMode.AEC3


def test_somebody_who_interrupts_now_and_then_does_not_look_like_an_echo() -> None:
    ladder = EchoLadder(Canceller(30.0))
    for _ in range(5):
        run(ladder, 4.0)
        ladder._canceller.decibels = 0.0  # type: ignore[attr-defined]  # as it looks while somebody talks
        run(ladder, 1.0)
        ladder._canceller.decibels = 30.0  # type: ignore[attr-defined]  # and now it does not
    assert ladder.falls == 0


def test_only_a_canceller_needs_a_guard() -> None:
    gate = guarded(HalfDuplex())
    assert (gate.mode, isinstance(gate, EchoLadder)) == (EchoMode.HALF_DUPLEX, False)
    assert isinstance(guarded(Aec3()), EchoLadder)


@pytest.mark.parametrize("control", [HalfDuplex(), Canceller(30.0)])
def test_what_is_returned_is_what_was_measured_with_a_guard_and_without(control: EchoControl) -> None:
    guard, near, far = guarded(control), tone(0.02), tone(0.02, amplitude=5000)
    assert guard.measured == NOTHING
    for _ in range(2 * WARM_UP):
        returned = guard.process(near, far)
        assert guard.measured == energies(near, returned, far)
    assert returned.any() == (control.mode is EchoMode.AEC3)


def test_a_real_echo_is_taken_out_without_closing_the_microphone_for_long() -> None:
    ladder = EchoLadder(Aec3())
    far = speech(8.0)
    near = np.concatenate((np.zeros(3840, np.int16), far[:-3840])) // 2
    left = [ladder.process(n, f) for n, f in zip(blocks(near.astype(np.int16)), blocks(far), strict=True)]
    assert ladder.falls == 0
    assert rms_dbfs(np.concatenate(left)) < rms_dbfs(far) - 30


EVIDENCE = 200  # blocks: 4 s
LOUD = tone(0.02, 1000)


def told(ladder: EchoLadder, losses: list[float], near: Samples = LOUD) -> None:
    """Let so many blocks of the robot's voice come, of which so many dB are taken out."""
    for loss in losses:
        ladder._canceller.decibels = loss  # type: ignore[attr-defined]  # the test's own
        ladder.process(near, LOUD)


def ready(decibels: float = 40.0) -> EchoLadder:
    """A ladder whose robot has spoken so long that the next block is the first to be measured."""
    ladder = EchoLadder(Canceller(decibels))
    told(ladder, [decibels] * (WARM_UP - 1))
    return ladder


def test_it_takes_four_seconds_of_evidence_to_fall_and_as_much_to_rise() -> None:
    ladder = ready(0.0)
    told(ladder, [0.0] * (EVIDENCE - 1))
    assert (ladder.mode, ladder.falls) == (EchoMode.AEC3, 0)
    told(ladder, [0.0])
    assert (ladder.mode, ladder.falls) == (EchoMode.HALF_DUPLEX, 1)
    told(ladder, [40.0] * (EVIDENCE - 1))
    assert ladder.mode is EchoMode.HALF_DUPLEX, "what was known before it fell counts no more"
    told(ladder, [40.0])
    assert (ladder.mode, ladder.falls) == (EchoMode.AEC3, 1)


@pytest.mark.parametrize(
    ("first", "then", "mode"),
    [
        (40.0, 10.1, EchoMode.AEC3),
        (40.0, 9.9, EchoMode.HALF_DUPLEX),
        (0.0, 19.9, EchoMode.HALF_DUPLEX),
        (0.0, 20.1, EchoMode.AEC3),
    ],
)
def test_both_limits_are_where_they_are_said_to_be(first: float, then: float, mode: EchoMode) -> None:
    ladder = ready(first)
    told(ladder, [first] * EVIDENCE)
    told(ladder, [then] * EVIDENCE)
    assert ladder.mode is mode


@pytest.mark.parametrize(("good", "mode"), [(20, EchoMode.AEC3), (19, EchoMode.HALF_DUPLEX)])
def test_the_best_tenth_counts(good: int, mode: EchoMode) -> None:
    ladder = ready()
    told(ladder, [30.0] * good + [0.0] * (EVIDENCE - good))
    assert ladder.mode is mode


def test_what_the_microphone_hears_before_the_echo_is_there_is_no_evidence() -> None:
    ladder = ready(0.0)
    for _ in range(2 * EVIDENCE):
        told(ladder, [0.0] * 15)
        ladder.process(SILENCE, SILENCE)
    assert (ladder.mode, ladder.falls) == (EchoMode.AEC3, 0)
    told(ladder, [0.0] * (15 + EVIDENCE))
    assert ladder.falls == 1


@pytest.mark.parametrize(("level", "falls"), [(-55.5, 0), (-54.5, 1)])
def test_an_echo_that_nobody_hears_is_as_good_as_none(level: float, falls: int) -> None:
    near: Samples = np.rint(LOUD * 10 ** ((level - rms_dbfs(LOUD)) / 20)).astype(np.int16)
    ladder = EchoLadder(Canceller(0.0))
    told(ladder, [0.0] * (WARM_UP + EVIDENCE), near)
    assert ladder.falls == falls


def test_the_microphone_is_closed_for_a_second_of_the_robots_voice_and_not_before_it() -> None:
    ladder = EchoLadder(Canceller(3.0))
    heard = [bool(ladder.process(LOUD, LOUD).any()) for _ in range(WARM_UP + 5)]
    assert heard[1:] == [False] * (WARM_UP - 2) + [True] * 6, "but for the ramp down in the very first block"
