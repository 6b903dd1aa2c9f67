"""PURE. Short ramps, so that sound that begins, ends or is cut does not click."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import Samples

EDGE: Final = 240
"""Samples of a ramp that is not heard as a change of loudness but takes the click away: 5 ms."""


def ramp(first: float, last: float, count: int) -> NDArray[np.float32]:
    """Return `count` gains in even steps from `first` to `last`."""
    return np.float32(first) + np.float32(last - first) * _rise(count)


def fade_in(samples: Samples, over: int = EDGE) -> Samples:
    """Return `samples` with their first `over` rising from silence."""
    return _ramped(samples, 0.0, 1.0, slice(0, min(over, samples.size)))


def fade_out(samples: Samples, over: int | None = None) -> Samples:
    """Return `samples` with their last `over` (all by default) falling to silence."""
    over = samples.size if over is None else min(over, samples.size)
    return _ramped(samples, 1.0, 0.0, slice(samples.size - over, samples.size))


def falling(samples: Samples, begun: int, over: int) -> Samples:
    """Return `samples` as part of a fall to silence over `over` samples, which began `begun` samples before them.

    With `begun` below 0 it begins within them, or after.
    """
    if begun + samples.size <= 0:
        return samples
    gain = 1.0 - (np.arange(begun, begun + samples.size, dtype=np.float32) / over)
    fallen: Samples = (samples * gain.clip(0.0, 1.0)).astype(np.int16)
    return fallen


def taken_over(before: Samples, after: Samples, over: int = EDGE) -> Samples:
    """Return `after`, its first `over` laid over as much of what `before` would have gone on with, as it fades."""
    over = min(over, before.size, after.size)
    if not over:
        return after
    return np.concatenate((fade_out(before[:over]) + fade_in(after[:over], over), after[over:]))


@lru_cache(maxsize=8)
def _rise(count: int) -> NDArray[np.float32]:
    return np.linspace(0.0, 1.0, count, dtype=np.float32)


def _ramped(samples: Samples, first: float, last: float, part: slice) -> Samples:
    faded = samples.copy()
    faded[part] = (samples[part] * ramp(first, last, part.stop - part.start)).astype(np.int16)
    return faded
