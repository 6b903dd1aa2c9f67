from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from device.panel.patterns import PATTERNS, Light, loudness

FRAMES_PER_SECOND = 50


def seen(light: Light, seconds: float = 12.0, level: float | None = None) -> NDArray[np.float64]:
    """Return the brightness fifty times a second."""
    shown: list[float] = []
    for step in PATTERNS[light](lambda: level):
        shown += [step.brightness] * round(min(step.seconds, seconds) * FRAMES_PER_SECOND)
        if len(shown) >= seconds * FRAMES_PER_SECOND:
            break
    return np.array(shown[: round(seconds * FRAMES_PER_SECOND)])


def test_every_phase_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Light)


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("level", [None, -100.0, -30.0, 0.0])
def test_brightness_stays_in_range_and_no_step_is_a_busy_loop(light: Light, level: float | None) -> None:
    steps = PATTERNS[light](lambda: level)
    for _, step in zip(range(500), steps, strict=False):
        assert 0.0 <= step.brightness <= 1.0
        assert step.seconds >= 0.04


@pytest.mark.parametrize(("one", "other"), list(combinations(Light, 2)))
def test_phases_look_different_from_wherever_one_starts_to_look(one: Light, other: Light) -> None:
    a, b = seen(one), seen(other)
    nearest = min(float(np.mean(np.abs(a - np.roll(b, shift)))) for shift in range(0, len(b), 2))
    assert nearest > 0.03


@pytest.mark.parametrize("light", [Light.PREPARING, Light.ANNOUNCING, Light.LISTENING, Light.FAULT, Light.ENDING])
def test_what_answers_a_hand_is_bright_at_once(light: Light) -> None:
    assert next(PATTERNS[light](lambda: None)).brightness == 1.0


@pytest.mark.parametrize("light", Light)
def test_nothing_flashes_more_than_three_times_a_second(light: Light) -> None:
    shown = seen(light)
    rises = np.flatnonzero((shown[1:] >= 0.7) & (shown[:-1] < 0.7))
    for start in rises:
        assert np.count_nonzero((rises >= start) & (rises < start + FRAMES_PER_SECOND)) <= 3


def test_speaking_follows_the_level() -> None:
    quiet, loud = (seen(Light.SPEAKING, 1.0, level).mean() for level in (-45.0, -18.0))
    assert loud > quiet + 0.3
    assert seen(Light.SPEAKING, 2.0, None).std() > 0.1


def test_loudness_is_bounded_and_grows() -> None:
    values = [loudness(level) for level in range(-100, 7)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.15, 1.0)
