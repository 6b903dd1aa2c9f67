from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, Samples
from device.audio.fade import EDGE
from device.broadcast.delay import DelayLine, Moment, Stance
from device.messages.reports import Levels
from device.phase import Phase
from tests.device.audio.sound import blocks, tone

LOUD = Levels(user=-20.0, assistant=-15.0)
SPEAKING = Stance(Phase.SPEAKING, on_air=True)


def through(line: DelayLine, sound: Samples, stance: Stance = SPEAKING) -> tuple[Samples, list[Moment]]:
    """Push `sound`, and return what came out meanwhile."""
    out = [line.push(Moment(block, LOUD, stance)) for block in blocks(sound)]
    return np.concatenate([moment.samples for moment in out]), out


@given(st.integers(0, 500))
def test_what_goes_in_comes_out_so_many_blocks_later(length: int) -> None:
    line = DelayLine(length * BLOCK_SECONDS)
    sound = tone((length + 5) * BLOCK_SECONDS)
    heard, _ = through(line, sound)
    assert not heard[: length * BLOCK].any()
    assert np.array_equal(heard[length * BLOCK + EDGE :], sound[EDGE : 5 * BLOCK])


def test_a_delay_is_what_was_asked_for_to_half_a_block() -> None:
    assert DelayLine(5.0).length * BLOCK_SECONDS == pytest.approx(5.0)
    assert DelayLine(0.031).length == 2


def test_the_picture_is_as_late_as_the_sound() -> None:
    line = DelayLine(0.1)
    _, early = through(line, tone(0.1))
    assert {(moment.levels, moment.stance) for moment in early} == {(Levels(), SPEAKING)}, "quiet, as the sound is"
    _, late = through(line, tone(0.1), Stance(Phase.LISTENING, on_air=True))
    assert {(moment.levels, moment.stance) for moment in late} == {(LOUD, SPEAKING)}


def test_what_is_cut_is_never_heard_and_as_much_silence_is() -> None:
    line = DelayLine(0.2)
    through(line, tone(0.4, 440))
    assert line.cut() == pytest.approx(0.2)
    heard, moments = through(line, tone(0.4, 1000))
    assert not heard[EDGE : 10 * BLOCK].any(), "but for 5 ms, in which it falls silent"
    assert {moment.levels for moment in moments[:10]} == {Levels()}
    after = np.abs(np.fft.rfft(heard[10 * BLOCK :].astype(np.float64)))
    assert after.argmax() * RATE / (10 * BLOCK) == pytest.approx(1000, abs=5)


def test_neither_edge_of_a_cut_clicks() -> None:
    line = DelayLine(0.2)
    sound = tone(1.0, 440, 20_000)
    before, _ = through(line, sound[: 20 * BLOCK])
    line.cut()
    after, _ = through(line, sound[20 * BLOCK :])
    steps = np.abs(np.diff(np.concatenate([before, after]).astype(np.int32)))
    steepest = np.abs(np.diff(sound.astype(np.int32))).max()
    assert steps.max() <= 1.1 * steepest


def test_a_cut_before_anything_has_come_through_lets_nothing_out() -> None:
    line = DelayLine(0.2)
    through(line, tone(0.1))
    assert line.cut() == pytest.approx(0.1)
    heard, _ = through(line, tone(0.2, 1000))
    assert not heard.any()


def test_two_cuts_are_as_good_as_one() -> None:
    line = DelayLine(0.2)
    through(line, tone(0.4))
    line.cut()
    line.cut()
    heard, _ = through(line, tone(0.2))
    assert not heard[EDGE:].any()


def test_without_a_delay_nothing_is_held() -> None:
    line = DelayLine(0.0)
    heard, moments = through(line, tone(0.1))
    assert np.array_equal(heard[EDGE:], tone(0.1)[EDGE:])
    assert moments[0].levels == LOUD
    assert line.cut() == 0.0


def test_sound_rises_from_silence_at_first_and_after_each_cut() -> None:
    line, steady = DelayLine(0.1), np.full(20 * BLOCK, 8000, np.int16)
    first, _ = through(line, steady)
    assert first[5 * BLOCK : 5 * BLOCK + EDGE].tolist() == sorted(first[5 * BLOCK : 5 * BLOCK + EDGE].tolist())
    assert (first[5 * BLOCK], first[5 * BLOCK + EDGE]) == (0, 8000)
    line.cut()
    again, _ = through(line, steady)
    assert (again[0], again[EDGE - 1], again[5 * BLOCK], again[5 * BLOCK + EDGE]) == (8000, 0, 0, 8000)
    assert not again[EDGE : 5 * BLOCK].any()
