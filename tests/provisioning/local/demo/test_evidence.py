"""Evidence: a sound is found where it is and not where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from provisioning.local.demo.evidence import Piece, Samples, delay_ms, find, level_dbfs

RANDOM = np.random.default_rng(7)


def sound(seconds: float) -> Samples:
    """Noise in syllables, each with a band and a loudness of its own."""
    count, syllable = int(48_000 * seconds), 7_200
    parts = []
    for _ in range(-(-count // syllable)):
        spectrum = np.fft.rfft(RANDOM.standard_normal(syllable))
        frequency = np.fft.rfftfreq(syllable, 1 / 48_000)
        spectrum *= np.exp(-np.square(np.log(np.maximum(frequency, 1.0) / RANDOM.uniform(250, 4000)) / 0.5))
        part = np.fft.irfft(spectrum, syllable)
        parts.append(RANDOM.choice([500, 2000, 5000]) * part / part.std())
    return np.concatenate(parts)[:count].clip(-32767, 32767).astype(np.int16)


def test_a_sound_is_found_to_the_millisecond_with_its_level() -> None:
    needle = sound(1.0)
    hay = np.concatenate([sound(2.0), needle // 2, sound(1.0)])
    finding = find(needle, hay)
    assert finding.found
    assert finding.start == pytest.approx(96_000, abs=480)
    assert finding.dbfs == pytest.approx(level_dbfs(needle) - 6.0, abs=0.3)


def test_a_sound_over_a_quieter_one_is_still_found() -> None:
    needle = sound(1.0)
    hay = np.concatenate([np.zeros(48_000, np.int16), needle // 2 + sound(1.0) // 6, np.zeros(48_000, np.int16)])
    assert find(needle, hay).found


def test_a_sound_of_which_a_block_was_left_out_is_found() -> None:
    needle = sound(3.0)
    hay = np.concatenate([sound(1.0), needle[:72_000], needle[74_880:], sound(1.0)])
    finding = find(needle, hay)
    assert finding.likeness > 0.9
    assert finding.start == pytest.approx(48_000, abs=2_900)


def test_pieces_in_the_wrong_order_are_not_the_sound() -> None:
    first, second, third = sound(1.0), sound(1.0), sound(1.0)
    assert not find(np.concatenate([first, second, third]), np.concatenate([third, second, first])).found


def test_a_sound_that_is_not_there_is_not_found() -> None:
    assert not find(sound(1.0), sound(5.0)).found
    assert not find(sound(1.0), np.zeros(96_000, np.int16)).found
    assert not find(sound(1.0), sound(0.5)).found


def test_the_delay_is_the_median_wait_of_a_sample() -> None:
    needle = sound(1.0)
    hay = np.concatenate([np.zeros(24_000, np.int16), needle, np.zeros(24_000, np.int16)])
    finding = find(needle, hay)
    pieces = [Piece(hay[:48_000], 101.0), Piece(hay[48_000:], 102.0)]
    # the sound began at 100.0: half of it waits from 1.0 down to 0.5 s, half from 1.5 down to 1.0 s
    assert delay_ms(finding, needle.size, 100.0, pieces) == pytest.approx(1000, abs=15)


def test_silence_is_minus_100_db() -> None:
    assert level_dbfs(np.zeros(10, np.int16)) == -100
    assert level_dbfs(np.zeros(0, np.int16)) == -100
