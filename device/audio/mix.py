"""PURE. Several voices in one: gains, a sum, and a soft limiter that never clips."""

from __future__ import annotations

from typing import Final

import numpy as np

from device.audio.block import Samples

KNEE: Final = 0.7
"""Where the limiter begins, of full scale: about -3 dBFS. Below it nothing is changed."""
_CEILING: Final = 0.99
_FULL_SCALE: Final = 32767.0


def mix(near: Samples, played: Samples, near_gain: float = 0.8, played_gain: float = 0.8) -> Samples:
    """Return the sum of two blocks of the same shape, limited to 0.99 of full scale."""
    total = near.astype(np.float32) * near_gain
    total += played.astype(np.float32) * played_gain
    return limit(total)


def amplify(samples: Samples, gain: float) -> Samples:
    """Return `samples` times `gain`, limited to 0.99 of full scale."""
    return samples if gain == 1.0 else limit(samples.astype(np.float32) * gain)


def limit(total: np.typing.NDArray[np.float32], knee: float = KNEE, ceiling: float = _CEILING) -> Samples:
    """Return `total`, in int16 units but of any size, bent smoothly below `ceiling` above `knee`, of full scale."""
    if max(total.max(initial=0.0), -total.min(initial=0.0)) > knee * _FULL_SCALE:
        size = np.abs(total) / _FULL_SCALE
        room = ceiling - knee
        bent = knee + room * np.tanh((size - knee) / room)
        total = np.where(size > knee, np.sign(total) * bent * _FULL_SCALE, total)
    return np.rint(total).astype(np.int16)
