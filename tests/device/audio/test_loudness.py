"""Loudness against BS.1770's own figures, and the hand on the fader at its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, BLOCK_SECONDS, SILENCE, Samples
from device.audio.level import energy
from device.audio.loudness import (
    LEAST_GAIN_DB,
    MOST_GAIN_DB,
    SILENT_LUFS,
    TARGET_LUFS,
    Leveller,
    lufs,
    weighted_energy,
)
from tests.device.audio.sound import blocks, noise, speech, tone

SLEW = 9.0 * BLOCK_SECONDS


def levelled(leveller: Leveller, sound: Samples) -> list[float]:
    """Let `sound` through; return the gain after each block."""
    gains = []
    for block in blocks(sound):
        leveller.level(block, energy(block))
        gains.append(leveller.gain_db)
    return gains


# ITU-R BS.1770-5, table 1 and 2: what both filters together do to a sine, in dB, by frequency.
@pytest.mark.parametrize(
    ("hertz", "gain_db", "tolerance"),
    [(50, -3.6, 0.5), (100, -1.1, 0.3), (500, 0.0, 0.2), (1000, 0.7, 0.1), (2000, 3.1, 0.2), (8000, 4.0, 0.1)],
)
def test_the_weighting_is_that_of_the_recommendation(hertz: int, gain_db: float, tolerance: float) -> None:
    block = tone(1.0, hertz, 10_000)[BLOCK : 2 * BLOCK]
    assert 10 * math.log10(weighted_energy(block) / energy(block)) == pytest.approx(gain_db, abs=tolerance)


@given(st.integers(1, 1000), st.integers(0, 100))
def test_twice_as_large_is_four_times_the_energy(amplitude: int, seed: int) -> None:
    block = noise(0.02, amplitude, seed)
    assert weighted_energy((4 * block.astype(np.int32)).astype(np.int16)) == pytest.approx(16 * weighted_energy(block))


def test_silence_has_a_loudness_as_well() -> None:
    assert weighted_energy(SILENCE) == 0.0
    assert lufs(0.0) == lufs(1e-30) == lufs(-0.0) == -100.0
    assert lufs(1.0) == pytest.approx(-0.691)
    assert lufs(0.1) == pytest.approx(-10.691)


def test_a_voice_is_brought_to_the_target_and_no_faster_than_a_hand_moves() -> None:
    leveller = Leveller()
    gains = [0.0, *levelled(leveller, speech(8.0, 9.0))]
    steps = np.abs(np.diff(gains))
    assert steps.max() == pytest.approx(SLEW, rel=1e-6)
    heard = [weighted_energy(block) for block in blocks(speech(8.0, 9.0))[-50:]]
    assert lufs(float(np.mean(heard))) + leveller.gain_db == pytest.approx(TARGET_LUFS, abs=1.5)


@pytest.mark.parametrize("target", [-16.0, -24.0])
def test_a_steady_sound_ends_at_the_target_it_was_given(target: float) -> None:
    steady = tone(20.0, 1000, 4000)
    leveller = Leveller(target)
    gains = levelled(leveller, steady)
    wanted = target - lufs(weighted_energy(steady[:BLOCK]))
    assert gains[-1] == pytest.approx(wanted, abs=0.26), "what is less off is let be"
    assert gains[-1] == gains[-20], "there it stays"


@pytest.mark.parametrize(("amplitude", "bound"), [(60, MOST_GAIN_DB), (32_000, LEAST_GAIN_DB)])
def test_nothing_is_raised_or_lowered_without_end(amplitude: int, bound: float) -> None:
    gains = levelled(Leveller(-10.0 if bound > 0 else -40.0), noise(5.0, 4 * amplitude if bound > 0 else amplitude))
    assert gains[-1] == pytest.approx(bound)
    assert max(gains) <= MOST_GAIN_DB
    assert min(gains) >= LEAST_GAIN_DB


def test_what_nobody_could_call_speech_moves_nothing() -> None:
    for below in (tone(3.0, 1000, 100), noise(3.0, 20), np.zeros(3 * 48_000, np.int16)):
        assert lufs(weighted_energy(below[:BLOCK])) < SILENT_LUFS
        assert levelled(Leveller(), below)[-1] == 0.0
    above = tone(3.0, 1000, 180)
    assert lufs(weighted_energy(above[:BLOCK])) > SILENT_LUFS
    assert levelled(Leveller(), above)[-1] == pytest.approx(MOST_GAIN_DB)


def test_a_pause_in_a_voice_is_not_taken_for_a_quieter_voice() -> None:
    leveller = Leveller()
    loud = levelled(leveller, tone(4.0, 1000, 8000))[-1]
    assert levelled(leveller, tone(4.0, 1000, 1000))[-1] == pytest.approx(loud), "18 LU less: a pause, or somebody far"
    assert levelled(leveller, tone(4.0, 1000, 4000))[-1] > loud + 1.5, "6 LU less: the same voice, quieter"


def test_a_hair_too_loud_is_let_be_and_more_is_mended_all_the_way() -> None:
    leveller = Leveller()
    settled = levelled(leveller, tone(30.0, 1000, 4000))[-1]
    for more in (0.2, -0.2, 0.0):
        sound = tone(2.0, 1000, 4000 * 10 ** (more / 20))
        assert levelled(leveller, sound)[-1] == pytest.approx(settled, abs=0.26)
    assert levelled(leveller, tone(30.0, 1000, 8000))[-1] == pytest.approx(settled - 6.02, abs=0.26)


def test_within_a_block_the_level_rises_without_a_step() -> None:
    leveller, last = Leveller(), 1.0
    for block in blocks(tone(1.0, 1000, 2000)):
        before = leveller.gain_db
        scaled = leveller.level(block, energy(block))
        first, end = 10 ** (before / 20), 10 ** (leveller.gain_db / 20)
        assert scaled[0] == pytest.approx(block[0] * first)
        at = int(np.argmax(np.abs(block)))
        assert scaled[at] / block[at] == pytest.approx(first + (end - first) * at / BLOCK, rel=1e-4)
        assert first == pytest.approx(last), "it goes on where the block before has ended"
        last = end
    assert last > 1.0
