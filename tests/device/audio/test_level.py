from __future__ import annotations

import numpy as np
import pytest

from device.audio.block import BLOCK, SILENCE
from device.audio.level import (
    FLOOR_DBFS,
    INTERVAL,
    Meter,
    dbfs,
    energies,
    energy,
    is_clipped,
    is_quiet,
    is_sound,
    rms_dbfs,
)
from tests.device.audio.sound import tone


def test_a_full_scale_square_is_zero_and_silence_is_the_floor() -> None:
    assert rms_dbfs(np.full(BLOCK, -32768, np.int16)) == pytest.approx(0.0)
    assert rms_dbfs(SILENCE) == FLOOR_DBFS
    assert energy(SILENCE[:0]) == 0.0
    assert dbfs(1e-20) == FLOOR_DBFS


def test_a_sine_is_three_decibels_below_its_peak() -> None:
    assert rms_dbfs(tone(1.0, amplitude=16_384)) == pytest.approx(-9.03, abs=0.02)


def test_quiet_is_what_nobody_would_miss() -> None:
    assert is_quiet(SILENCE)
    assert is_quiet(tone(0.02, amplitude=100))
    assert not is_quiet(tone(0.02, amplitude=1000))


def test_a_meter_shows_the_last_whole_interval() -> None:
    meter = Meter()
    for _ in range(INTERVAL):
        assert meter.rms == FLOOR_DBFS
        meter.add(energy(tone(0.02, hertz=1000, amplitude=16_384)))
    assert meter.rms == pytest.approx(-9.03, abs=0.05)
    for _ in range(INTERVAL):
        meter.add(0.0)
    assert meter.rms == FLOOR_DBFS


def test_what_touches_full_scale_on_either_side_is_clipped() -> None:
    found = [is_clipped(np.full(BLOCK, value, np.int16)) for value in (32_767, -32_768, -32_767, 32_766, -32_766)]
    assert found == [True, True, True, False, False]


def test_the_energies_of_a_block_are_those_of_its_parts() -> None:
    near, cleaned, far = tone(0.02), tone(0.02, amplitude=500), SILENCE
    assert energies(near, cleaned, far) == (energy(near), energy(cleaned), 0.0)


def test_one_sample_beside_zero_is_sound() -> None:
    assert not is_sound(SILENCE)
    assert not is_sound(SILENCE[:0])
    for faint in (1, -1, -32768):
        assert is_sound(np.array([0, 0, faint], np.int16))
