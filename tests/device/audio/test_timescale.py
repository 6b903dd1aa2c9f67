from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
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


@given(st.floats(60, 3000), st.floats(0.0, 0.99))
@settings(max_examples=60, deadline=None)
def test_whatever_the_pitch_what_is_left_out_or_added_is_one_period_within_bounds(
    hertz: float, likeness: float
) -> None:
    sound = tone(0.02, hertz)
    less, more = shorten(sound, likeness), lengthen(sound, likeness)
    period = sound.size - less.size
    assert more.size - sound.size == period
    assert period == 0 or SHORTEST_PERIOD <= period <= LONGEST_PERIOD
    assert (less[-1], more[-1]) == (sound[-1], sound[-1])
    assert np.abs(less).max() <= np.abs(sound).max()
    if not period:
        assert less is more is sound


@pytest.mark.parametrize("hertz", [99.6, 100.0, 100.4, 499.0, 500.0, 501.0, 504.0])
def test_at_the_ends_of_the_range_no_period_is_shorter_or_longer_than_it_may_be(hertz: float) -> None:
    period = BLOCK - shorten(tone(0.02, hertz), 0.5).size
    assert SHORTEST_PERIOD <= period <= LONGEST_PERIOD
    assert lengthen(tone(0.02, hertz), 0.5).size == BLOCK + period


def test_what_is_cut_or_added_in_a_pause_is_at_its_beginning_and_the_rest_is_as_it_was() -> None:
    pause = np.arange(BLOCK, dtype=np.int16)
    assert np.array_equal(cut(pause, 100)[96:], pause[196:])
    assert np.array_equal(extend(pause, 100)[:100], pause[:100])
    assert np.array_equal(extend(pause, 100)[196:], pause[96:])
    assert cut(pause, 0) is pause
    assert cut(pause, BLOCK - 96).size == 96, "a seam is the least that can be left"
    assert cut(pause, BLOCK - 95).size == 0
    assert np.array_equal(extend(pause, BLOCK - 95)[: BLOCK - 95], pause[: BLOCK - 95]), "no room for a seam"
    assert extend(pause, 5 * BLOCK).size == 2 * BLOCK


def test_between_two_samples_it_is_interpolated_in_a_straight_line() -> None:
    assert stretched(np.array([0, 30_000, 0], np.int16), 5).tolist() == [0, 15_000, 30_000, 15_000, 0]
    assert stretched(np.array([0, 10_000, 20_000, 30_000, -30_000], np.int16), 3).tolist() == [0, 20_000, -30_000]
    sound = noise(0.02)
    assert stretched(sound, BLOCK) is sound
