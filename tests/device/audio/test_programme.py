from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from device.audio.block import BLOCK, RATE, SILENCE, Samples
from device.audio.level import energy
from device.audio.loudness import TARGET_LUFS, Leveller, lufs, weighted_energy
from device.audio.programme import Programme
from tests.device.audio.sound import blocks, noise, speech, tone


def integrated(sound: Samples) -> float:
    """The gated loudness of BS.1770-5 over 400 ms pieces, overlapping by 75 %."""
    energies = [weighted_energy(block) for block in blocks(sound)]
    moments = [float(np.mean(energies[start : start + 20])) for start in range(0, len(energies) - 19, 5)]
    loud = [energy for energy in moments if lufs(energy) > -70]
    gate = lufs(float(np.mean(loud))) - 10
    return lufs(float(np.mean([energy for energy in loud if lufs(energy) > gate])))


def true_peak_dbfs(sound: Samples) -> float:
    between = soxr.resample(sound.astype(np.float64) / 32768, RATE, 4 * RATE, quality="VHQ")
    return float(20 * np.log10(np.abs(between).max()))


def at(sound: Samples, decibels: float) -> Samples:
    scaled: Samples = np.rint(sound * 10 ** (decibels / 20)).clip(-32768, 32767).astype(np.int16)
    return scaled


def mixed(programme: Programme, near: Samples, played: Samples) -> Samples:
    return programme.mix(near, played, energy(near), energy(played))


def test_the_measure_agrees_with_the_recommendation() -> None:
    # BS.1770-5, Annex 1: a 0 dBFS sine of 997 Hz in one channel reads -3.01 LKFS.
    assert integrated(tone(2.0, 1000, 32767)) == pytest.approx(-3.01, abs=0.1)
    assert integrated(tone(2.0, 50, 3277)) < integrated(tone(2.0, 1000, 3277)) - 3
    assert integrated(tone(2.0, 8000, 3277)) > integrated(tone(2.0, 1000, 3277)) + 2


@pytest.mark.parametrize(("near", "played"), [(-20.0, 0.0), (-6.0, -12.0), (0.0, 0.0)])
def test_a_conversation_has_the_loudness_of_the_net_however_loud_its_voices(near: float, played: float) -> None:
    turn, quiet = speech(4.0), np.zeros(4 * RATE, np.int16)
    room, robot = np.concatenate((turn, quiet) * 5), np.concatenate((quiet, turn) * 5)
    room = (room + noise(room.size / RATE, 20)).astype(np.int16)
    programme = Programme()
    pairs = zip(blocks(at(room, near)), blocks(at(robot, played)), strict=True)
    heard = np.concatenate([mixed(programme, one, other) for one, other in pairs])
    assert integrated(heard) == pytest.approx(TARGET_LUFS, abs=1.0)
    assert true_peak_dbfs(heard) <= -1.0


def test_what_is_too_loud_stays_below_the_true_peak() -> None:
    programme = Programme()
    loud = blocks(at(speech(4.0), 14.0))
    heard = np.concatenate([mixed(programme, block, block) for block in loud])
    assert true_peak_dbfs(heard) <= -1.0


def test_a_pause_teaches_nothing_and_silence_stays_silence() -> None:
    leveller = Leveller()
    for block in blocks(speech(5.0, 9.0)):
        leveller.level(block, energy(block))
    settled = leveller.gain_db
    for block in blocks(noise(10.0, 30)):
        leveller.level(block, energy(block))
    assert leveller.gain_db == pytest.approx(settled, abs=1.0)
    assert not mixed(Programme(), SILENCE, SILENCE).any()


@given(st.lists(nst.arrays(np.int16, BLOCK), min_size=1, max_size=5))
def test_whatever_comes_nothing_clips_and_nothing_jumps(sounds: list[Samples]) -> None:
    programme, gains = Programme(), [0.0]
    for sound in sounds:
        heard = mixed(programme, sound, SILENCE)
        assert heard.shape == (BLOCK,)
        assert np.abs(heard.astype(np.int32)).max() <= 0.83 * 32768
        gains.append(programme.counters()["near_gain_db"])
    assert np.abs(np.diff(gains)).max() <= 0.1801
