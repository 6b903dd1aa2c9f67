from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from device.audio.block import BLOCK, SILENCE, Samples
from device.audio.level import rms_dbfs
from device.audio.mix import KNEE, amplify, limit, mix
from tests.device.audio.sound import noise, tone

anything = nst.arrays(np.int16, 64)


@given(anything, anything, st.floats(0, 4), st.floats(0, 4))
def test_no_mix_clips_and_none_changes_sign(near: Samples, played: Samples, one: float, other: float) -> None:
    total = near.astype(np.float64) * one + played.astype(np.float64) * other
    mixed = mix(near, played, one, other)
    assert mixed.dtype == np.int16
    assert np.abs(mixed.astype(np.int32)).max() <= 0.99 * 32767 + 1
    assert np.all((np.sign(mixed) == np.sign(total)) | (np.abs(total) < 2))


@given(st.lists(st.floats(-100_000, 100_000, width=32), min_size=2, max_size=50))
def test_louder_in_is_never_quieter_out(values: list[float]) -> None:
    ordered = np.array(sorted(values), np.float32)
    assert np.all(np.diff(limit(ordered).astype(np.int32)) >= 0)


def test_below_the_knee_a_mix_is_the_sum() -> None:
    one, other = tone(0.02, 300, 6000), tone(0.02, 700, 6000)
    assert np.abs(mix(one, other, 1.0, 1.0).astype(np.int32) - one - other).max() <= 1
    assert KNEE * 32_767 > 12_000


def test_the_bend_at_the_knee_is_smooth() -> None:
    limited = limit(np.arange(0, 60_000, 10, dtype=np.float32)).astype(np.int32)
    assert np.diff(limited).max() <= 11


def test_silence_stays_silence_and_gains_are_kept() -> None:
    assert not mix(SILENCE, SILENCE).any()
    sound = noise(0.02, 4000)
    assert abs(rms_dbfs(mix(sound, SILENCE)) - (rms_dbfs(sound) - 1.94)) < 0.05
    assert amplify(sound, 1.0) is sound
    assert abs(rms_dbfs(amplify(sound, 0.5)) - (rms_dbfs(sound) - 6.02)) < 0.05
    assert mix(sound, SILENCE).shape == (BLOCK,)


@settings(max_examples=40)
@given(anything, anything, st.floats(0, 4), st.floats(0, 4))
def test_it_does_not_matter_which_voice_is_which(near: Samples, played: Samples, one: float, other: float) -> None:
    assert np.abs(mix(near, played, one, other).astype(int) - mix(played, near, other, one)).max() <= 1


@given(anything, st.floats(0, 4))
def test_beside_silence_a_voice_is_as_if_it_were_alone(voice: Samples, gain: float) -> None:
    alone = limit(voice.astype(np.float32) * np.float32(gain))
    assert np.array_equal(mix(voice, np.zeros_like(voice), gain, 2.0), alone)
    assert np.array_equal(mix(np.zeros_like(voice), voice, 2.0, gain), alone)
    assert not mix(voice, voice, 0.0, 0.0).any(), "and with no gain there is nothing"


@settings(max_examples=40)
@given(nst.arrays(np.float32, 32, elements=st.floats(-200_000, 200_000, width=32)))
def test_the_limiter_bends_both_sides_alike(values: np.typing.NDArray[np.float32]) -> None:
    assert np.array_equal(limit(-values), -limit(values))


@given(
    nst.arrays(np.float32, 32, elements=st.floats(-200_000, 200_000, width=32)),
    st.floats(0.1, 0.8),
    st.floats(0.81, 1.0),
)
def test_nothing_below_the_knee_is_changed_and_nothing_goes_above_the_ceiling(
    values: np.typing.NDArray[np.float32], knee: float, ceiling: float
) -> None:
    limited = limit(values, knee, ceiling)
    below = np.abs(values) <= knee * 32_767
    assert np.array_equal(limited[below], np.rint(values[below]).astype(np.int16))
    assert np.abs(limited.astype(int)).max() <= np.rint(ceiling * 32_767)
    assert np.all(np.abs(limited[~below].astype(int)) >= np.floor(knee * 32_767))


def test_just_above_the_knee_little_is_bent_and_far_above_it_nearly_all() -> None:
    knee = 0.7 * 32_767
    above = limit(np.array([knee + 300, knee + 3000, knee + 9000, knee + 90_000], np.float32)) - knee
    assert above.tolist() == pytest.approx([300, 2904, 7017, 9502], abs=2)


def test_just_at_the_knee_nothing_is_bent_yet() -> None:
    at = np.array([0.7 * 32_767, -0.7 * 32_767, 100.4, 100.6], np.float32)
    assert limit(at).tolist() == [22937, -22937, 100, 101]
    assert limit(np.zeros(0, np.float32)).size == 0
    assert limit(np.array([-32_768.0, 10.0], np.float32)).tolist()[1] == 10
    assert limit(np.array([1e9], np.float32)).tolist() == [round(0.99 * 32_767)]
