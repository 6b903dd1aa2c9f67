from __future__ import annotations

import logging

import numpy as np
import pytest

from device.audio import echo
from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.echo import Aec3, EchoControl, EchoMeter, EchoMode, HalfDuplex, NoEchoControl, choose_echo
from device.audio.level import energies, rms_dbfs
from device.errors import SoundError
from tests.device.audio.sound import blocks, noise, speech, tone

TAIL = 13  # blocks in 250 ms, rounded up


def run(control: EchoControl, near: Samples, far: Samples) -> Samples:
    return np.concatenate([control.process(n, f) for n, f in zip(blocks(near), blocks(far), strict=True)])


def echoed(far: Samples, seconds: float = 0.08, gain: float = 0.5) -> Samples:
    delay = round(seconds * 48_000)
    heard = np.concatenate((np.zeros(delay, np.int16), far[:-delay])) * gain
    return heard.astype(np.int16) + noise(far.size / 48_000, 10)


def test_aec3_takes_out_the_echo_and_leaves_the_person() -> None:
    far = speech(8.0)
    near = echoed(far)
    control = choose_echo(EchoMode.AEC3)
    residual = run(control, near, far)
    assert control.mode is EchoMode.AEC3
    assert residual.shape == near.shape
    assert rms_dbfs(near[96_000:]) - rms_dbfs(residual[96_000:]) > 35
    person = speech(2.0, pause_every=9.0)
    alone = run(control, person, np.zeros_like(person))
    assert abs(rms_dbfs(alone[48_000:]) - rms_dbfs(person[48_000:])) < 3


def test_half_duplex_is_silent_while_the_far_end_plays_and_a_tail_after() -> None:
    control, person, far = HalfDuplex(), tone(0.02), speech(0.02)
    assert np.array_equal(control.process(person, SILENCE), person)
    closing = control.process(person, far)
    assert closing[0] == person[0]
    assert not closing[BLOCK - 1]
    for _ in range(5):
        assert not control.process(person, far).any()
    for _ in range(TAIL - 1):
        assert not control.process(person, SILENCE).any()
    opening = control.process(person, SILENCE)
    assert opening.any()
    assert opening[0] == 0
    assert np.array_equal(control.process(person, SILENCE), person)


def test_half_duplex_stays_open_for_a_far_end_nobody_hears() -> None:
    person = tone(0.02)
    assert np.array_equal(HalfDuplex().process(person, tone(0.02, amplitude=10)), person)


def test_no_echo_control_changes_nothing() -> None:
    person = tone(0.02)
    assert choose_echo(EchoMode.NONE).process(person, person) is person
    assert isinstance(choose_echo(EchoMode.HALF_DUPLEX), HalfDuplex)


def test_without_the_wheel_half_duplex_takes_over_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(echo, "pywebrtc_audio", None)
    with pytest.raises(SoundError, match="pywebrtc-audio"):
        Aec3()
    with caplog.at_level(logging.WARNING):
        assert choose_echo(EchoMode.AEC3).mode is EchoMode.HALF_DUPLEX
    assert "half-duplex instead" in caplog.text


def test_the_echo_loss_is_measured_while_the_far_end_plays() -> None:
    meter = EchoMeter()
    assert meter.loss_db == 0.0
    for block in blocks(tone(1.0)):
        meter.add(energies(block, (block // 10).astype(np.int16), block))
    assert meter.loss_db == pytest.approx(20, abs=0.5)
    measured = meter.blocks
    meter.add(energies(tone(0.02), tone(0.02), SILENCE))
    assert meter.blocks == measured
    assert meter.loss_db == pytest.approx(20, abs=0.5)


def test_an_echo_that_is_not_taken_out_shows_as_no_loss() -> None:
    meter = EchoMeter()
    for block in blocks(tone(1.0)):
        meter.add(energies(block, NoEchoControl().process(block, block), block))
    assert meter.loss_db == pytest.approx(0)
