from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.timescale import LONGEST_PERIOD, SHORTEST_PERIOD, cut, extend, lengthen, shorten, stretched
from tests.device.audio.sound import noise, speech, tone

pauses = nst.arrays(np.int16, BLOCK, elements=st.integers(-50, 50))


@pytest.mark.parametrize("hertz", [110, 200, 333])
def test_a_voice_loses_or_gains_whole_periods_and_nobody_hears_where(hertz: int) -> None:
    sound = tone(0.02, hertz)
    for changed in (shorten(sound, 0.9), lengthen(sound, 0.9)):
        periods = abs(changed.size - sound.size) * hertz / 48_000
        assert SHORTEST_PERIOD <= abs(changed.size - sound.size) <= LONGEST_PERIOD
        assert abs(periods - round(periods)) < 0.02
        assert changed[0] == sound[0]
        assert changed[-1] == sound[-1]
        assert np.abs(np.diff(changed.astype(int))).max() <= 1.1 * np.abs(np.diff(sound.astype(int))).max()


def test_speech_has_alike_periods_and_noise_has_none() -> None:
    voiced = speech(1.0, 9.0)[12_000:]
    assert shorten(voiced[:BLOCK], 0.8).size < BLOCK < lengthen(voiced[:BLOCK], 0.8).size
    assert shorten(noise(0.02), 0.6).size == lengthen(noise(0.02), 0.6).size == BLOCK
    assert shorten(tone(0.01), 0.0).size == 480, "too short to tell"


@given(pauses, st.integers(0, 2 * BLOCK))
def test_a_pause_changes_by_what_is_asked_for_as_far_as_it_goes(pause: Samples, count: int) -> None:
    assert extend(pause, count).size == BLOCK + min(count, BLOCK)
    left = cut(pause, count).size
    assert left == BLOCK - count or (left == 0 and count > 0.8 * BLOCK)
    for changed in (extend(pause, count), cut(pause, count)):
        assert changed.dtype == np.int16
        assert np.abs(changed).max(initial=0) <= 50


@given(st.integers(BLOCK - 2, BLOCK + 2))
def test_stretched_sound_is_smooth(count: int) -> None:
    ramp = np.arange(0, 10 * BLOCK, 10, dtype=np.int16)
    changed = stretched(ramp, count)
    assert changed.size == count
    assert (changed[0], changed[-1]) == (ramp[0], ramp[-1])
    assert np.abs(np.diff(changed) - 10).max() <= 1
    assert not stretched(SILENCE, count).any()
