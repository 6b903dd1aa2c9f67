"""PURE. Loudness in figures: RMS in dBFS (a full-scale square wave is 0), peaks and clipping."""

from __future__ import annotations

import math
from typing import Final

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


class Meter:
    """The level of one voice: RMS of the last whole interval, the peak held over it, and a clip counter."""

    def __init__(self, blocks: int = INTERVAL) -> None:
        self._blocks = blocks
        self._seen, self._energy, self._highest = 0, 0.0, 0
        self.rms = FLOOR_DBFS
        """dBFS over the last whole interval."""
        self.peak = FLOOR_DBFS
        """dBFS of the largest sample in the last whole interval."""
        self.clipped = 0
        """Blocks that touched full scale; only grows."""

    def add(self, samples: Samples) -> None:
        """Measure one block."""
        highest = max(int(samples.max()), -int(samples.min())) if samples.size else 0
        self.clipped += highest >= 32767
        self._highest = max(self._highest, highest)
        self._energy += energy(samples)
        self._seen += 1
        if self._seen >= self._blocks:
            self.rms, self.peak = dbfs(self._energy / self._seen), dbfs((self._highest / FULL_SCALE) ** 2)
            self._seen, self._energy, self._highest = 0, 0.0, 0
