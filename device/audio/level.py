"""PURE. Loudness in figures: energy, RMS in dBFS (a full-scale square wave is 0) and clipping."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from device.audio.block import Samples

FULL_SCALE: Final = 32768.0
FLOOR_DBFS: Final = -100.0
"""What digital silence is said to be."""
QUIET_DBFS: Final = -50.0
"""Below it a block may be dropped or repeated without being heard: pauses in speech, not speech."""
INTERVAL: Final = 10
"""Blocks in a meter interval: 200 ms."""


def energy(samples: Samples) -> float:
    """Return the mean square of `samples`, 0 to 1."""
    if not samples.size:
        return 0.0
    scaled = samples.astype(np.float32)
    return float(np.dot(scaled, scaled)) / samples.size / FULL_SCALE**2


def dbfs(mean_square: float) -> float:
    """Return a mean square as dBFS, never less than -100."""
    return max(FLOOR_DBFS, 10 * math.log10(mean_square)) if mean_square > 0 else FLOOR_DBFS


def rms_dbfs(samples: Samples) -> float:
    """Return the RMS level of `samples` in dBFS, -100 to 0."""
    return dbfs(energy(samples))


def is_quiet(samples: Samples) -> bool:
    """Tell whether nobody would miss `samples`."""
    return energy(samples) < 10 ** (QUIET_DBFS / 10)


class Energies(NamedTuple):
    """Mean squares, 0 to 1, of one block on its way through echo control, which several parts judge it by."""

    near: float
    """What the microphone heard."""
    cleaned: float
    """What is left of it."""
    far: float
    """What the speaker played."""


NOTHING: Final = Energies(0.0, 0.0, 0.0)
"""Silence everywhere."""


def energies(near: Samples, cleaned: Samples, far: Samples) -> Energies:
    """Measure one block before and after echo control, and what was played."""
    return Energies(energy(near), energy(cleaned), energy(far))


class Meter:
    """The level of one voice: RMS of the last whole interval."""

    def __init__(self, blocks: int = INTERVAL) -> None:
        self._blocks = blocks
        self._seen, self._energy = 0, 0.0
        self.rms = FLOOR_DBFS
        """dBFS over the last whole interval."""

    def add(self, mean_square: float) -> None:
        """Take the energy of one block."""
        self._energy += mean_square
        self._seen += 1
        if self._seen >= self._blocks:
            self.rms = dbfs(self._energy / self._seen)
            self._seen, self._energy = 0, 0.0


def is_sound(samples: Samples) -> bool:
    """Tell whether `samples` are anything but digital silence (count_nonzero, because any() takes three times as long)."""
    return bool(np.count_nonzero(samples))


def is_clipped(samples: Samples) -> bool:
    """Tell whether `samples` touch full scale, on either side."""
    return bool(samples.max() >= 32767 or samples.min() <= -32767)
