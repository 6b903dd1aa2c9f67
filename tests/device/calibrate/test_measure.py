"""Measuring rooms whose figures are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.block import RATE, Samples
from device.audio.echo import Aec3, EchoMode, NoEchoControl
from device.calibrate.measure import Measured, Recorded, measure
from device.calibrate.stimulus import Plan, chirp, stimulus
from device.calibrate.trial import Trial, tried
from device.calibrate.verdict import judge
from device.soundcard.room import Room
from device.soundcard.settings import RoomSettings

PLAN = Plan(quiet=0.6, chirps=6, spacing=0.5, noise=2.0)
FRAMES = 480


def recorded(lead: float = 0.25, gain: float = 1.0, **room: Any) -> Recorded:
    """Play the stimulus in a simulated room; the tap has it `lead` seconds after the recording began."""
    played = np.concatenate((np.zeros(round(lead * RATE), np.int16), stimulus(PLAN), np.zeros(RATE, np.int16)))
    played = played[: len(played) // FRAMES * FRAMES]
    hall = Room(RoomSettings(**room), FRAMES)
    nobody = np.zeros(FRAMES, np.int16)
    heard = [hall.hear(played[start : start + FRAMES], nobody) for start in range(0, len(played), FRAMES)]
    captured = np.concatenate(heard).astype(np.float64) * gain
    return Recorded(played, captured.clip(-32768, 32767).astype(np.int16))


def measured(recording: Recorded) -> Measured:
    found = measure(recording, PLAN)
    assert found is not None
    return found


@pytest.mark.parametrize("delay", [0.005, 0.08, 0.25])
def test_the_delay_is_found_to_the_sample(delay: float) -> None:
    found = measured(recorded(delay=delay))
    assert found.heard == found.chirps == 6
    assert found.delay == pytest.approx(delay, abs=2e-4)
    assert found.wander < 1e-4


@pytest.mark.parametrize("loss", [0.0, 6.0, 20.0])
def test_the_echo_loss_is_that_of_the_room(loss: float) -> None:
    assert measured(recorded(echo_loss=loss, noise=-80.0)).loss == pytest.approx(loss, abs=2.5)


@pytest.mark.parametrize("noise", [-80.0, -65.0, -50.0])
def test_the_noise_floor_is_that_of_the_room(noise: float) -> None:
    assert measured(recorded(noise=noise)).floor == pytest.approx(noise, abs=0.5)


def test_one_cough_is_not_the_noise_floor() -> None:
    recording = recorded()
    recording.captured[20_000:21_000] = 20_000
    assert measured(recording).floor == pytest.approx(-65.0, abs=0.5)


@pytest.mark.parametrize("ppm", [-300, -50, 50, 300])
def test_drift_is_found_whatever_follows_it(ppm: int) -> None:
    recording = recorded()
    stretched = Recorded(drifted(recording.played, ppm), drifted(recording.captured, ppm))
    found = measured(stretched)
    assert found.drift == pytest.approx(ppm, abs=max(3.0, 3 * found.drift_error))
    assert found.wander < 1e-4


def drifted(sound: Samples, ppm: int) -> Samples:
    """Record `sound` with a clock that is this much faster."""
    stretched: Samples = np.rint(soxr.resample(sound.astype(np.float64), RATE, RATE * (1 + ppm / 1e6), "VHQ")).astype(
        np.int16
    )
    return stretched


def test_without_drift_none_is_found() -> None:
    found = measured(recorded())
    assert abs(found.drift) < 1.0
    assert found.drift_error < 1.0


def test_a_hole_is_not_drift() -> None:
    recording = recorded()
    half = round((0.25 + PLAN.quiet + 2.7 * PLAN.spacing) * RATE)
    hole = np.zeros(2000, np.int16)
    played, captured = (
        np.concatenate((side[:half], hole, side[half:])) for side in (recording.played, recording.captured)
    )
    found = measured(Recorded(played, captured))
    assert (found.heard, found.holes) == (6, 1)
    assert abs(found.drift) < 5.0
    assert measured(recording).holes == 0


def test_a_delay_that_jumps_is_seen() -> None:
    recording = recorded()
    half = len(recording.captured) // 2
    late = np.concatenate((recording.captured[:half], np.zeros(960, np.int16), recording.captured[half:-960]))
    assert measured(Recorded(recording.played, late)).wander == pytest.approx(0.02, abs=1e-3)


def test_clipping_is_counted() -> None:
    assert measured(recorded()).clipped == 0
    assert measured(recorded(gain=20.0)).clipped > 10


def test_an_echo_that_drowns_is_a_lower_bound() -> None:
    found = measured(recorded(echo_loss=80.0))
    assert found.heard == 0
    assert found.echo == pytest.approx(found.floor, abs=1.0)
    assert found.loss >= found.played - found.floor


def test_chirps_are_heard_below_the_noise() -> None:
    found = measured(recorded(echo_loss=40.0, noise=-60.0))
    assert found.heard == 6
    assert found.delay == pytest.approx(0.08, abs=1e-3)


def test_nothing_played_is_nothing_measured() -> None:
    recording = recorded()
    assert measure(Recorded(np.zeros_like(recording.played), recording.captured), PLAN) is None


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.floats(10.0, 8000.0))
def test_noise_is_not_taken_for_chirps(seed: int, level: float) -> None:
    recording = recorded()
    noise = np.random.default_rng(seed).standard_normal(len(recording.captured)) * level
    found = measured(Recorded(recording.played, noise.clip(-32768, 32767).astype(np.int16)))
    assert found.heard <= 1


def test_the_canceller_is_tried_on_the_recording() -> None:
    recording = recorded()
    trial = tried(Aec3(), recording, PLAN)
    assert trial.removed > 20.0
    assert trial.quiet < -65.0
    untouched = tried(NoEchoControl(), recording, PLAN)
    assert untouched.removed == 0.0
    assert untouched.quiet == pytest.approx(-65.0, abs=1.0)


def test_all_of_the_noise_reaches_the_speaker() -> None:
    found = measured(recorded())
    assert found.played == pytest.approx(found.given, abs=0.2)


def silenced(recording: Recorded) -> Recorded:
    return Recorded(recording.played, np.zeros_like(recording.captured))


def stuck(recording: Recorded) -> Recorded:
    return Recorded(recording.played, np.full_like(recording.captured, 32767))


def half_played(recording: Recorded) -> Recorded:
    played = recording.played.copy()
    played[-round((PLAN.noise / 2 + 1.0) * RATE) :] = 0
    return Recorded(played, recording.captured)


def shuffled(recording: Recorded) -> Recorded:
    """Tear a tenth of a second out of the microphone between every two chirps."""
    parts = np.array_split(recording.captured, 12)
    torn = np.concatenate([part[: len(part) - 2400 * (number % 2)] for number, part in enumerate(parts)])
    return Recorded(recording.played, np.pad(torn, (0, len(recording.captured) - len(torn))).astype(np.int16))


def swapped(recording: Recorded) -> Recorded:
    """Give the microphone's sound out as what was played, as a loopback that is wired the wrong way round does."""
    return Recorded(recording.captured, recording.played)


@pytest.mark.parametrize("breaking", [silenced, stuck, half_played, shuffled, swapped])
def test_recordings_that_are_broken_call_no_mode_safe(breaking: Callable[[Recorded], Recorded]) -> None:
    found = measure(breaking(recorded()), PLAN)
    for trial in (None, Trial(-33.0, -76.0, -80.0)):
        for heard in (False, True):
            assert judge("Phone", found, trial, heard=heard).mode is None


def test_the_same_recording_unbroken_does() -> None:
    recording = recorded()
    trial = tried(Aec3(), recording, PLAN)
    assert judge("Phone", measured(recording), trial, heard=False).mode is EchoMode.AEC3


def test_the_stimulus_is_what_the_plan_says() -> None:
    sound = stimulus(PLAN)
    assert len(sound) == round(PLAN.seconds * RATE)
    assert not sound[: round(PLAN.quiet * RATE)].any()
    assert np.abs(sound.astype(int)).max() <= 32767 * 10 ** (-9 / 20) + 1
    first = round(PLAN.quiet * RATE)
    assert np.corrcoef(sound[first : first + len(chirp())], chirp())[0, 1] > 0.999
