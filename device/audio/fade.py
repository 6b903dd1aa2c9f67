"""PURE. Short ramps, so that sound that begins, ends or is cut does not click."""

from __future__ import annotations

from typing import Final

import numpy as np

from device.audio.block import Samples

EDGE: Final = 240
"""Samples of a ramp that is not heard as a change of loudness but takes the click away: 5 ms."""


def fade_in(samples: Samples, over: int = EDGE) -> Samples:
    """Return `samples` with their first `over` rising from silence."""
    return _ramped(samples, 0.0, 1.0, slice(0, min(over, samples.size)))


def fade_out(samples: Samples, over: int | None = None) -> Samples:
    """Return `samples` with their last `over` (all by default) falling to silence."""
    over = samples.size if over is None else min(over, samples.size)
    return _ramped(samples, 1.0, 0.0, slice(samples.size - over, samples.size))


def taken_over(before: Samples, after: Samples, over: int = EDGE) -> Samples:
    """Return `after`, its first `over` laid over as much of what `before` would have gone on with, as it fades."""
    over = min(over, before.size, after.size)
    if not over:
        return after
    return np.concatenate((fade_out(before[:over]) + fade_in(after[:over], over), after[over:]))


def _ramped(samples: Samples, first: float, last: float, part: slice) -> Samples:
    faded = samples.copy()
    ramp = np.linspace(first, last, part.stop - part.start, dtype=np.float32)
    faded[part] = (samples[part] * ramp).astype(np.int16)
    return faded
