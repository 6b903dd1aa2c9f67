"""PURE. The stand-in's own sound: 48 kHz mono int16 in frames of 20 ms, and its level."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
FRAME: Final = 960
"""Samples in 20 ms."""

SILENT_DBFS: Final = -100.0

Samples = NDArray[np.int16]
"""Mono PCM, shape (n,)."""


def level(samples: Samples) -> float:
    """Return the RMS level in dBFS, -100 for digital silence."""
    if not samples.any():
        return SILENT_DBFS
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64)))) / 32768))


def at_level(samples: Samples, dbfs: float) -> Samples:
    """Return `samples` scaled to an RMS of `dbfs`, peaks limited to full scale."""
    gain = 10 ** ((dbfs - level(samples)) / 20)
    scaled: Samples = np.clip(samples * gain, -32768, 32767).astype(np.int16)
    return scaled


FAINT: Final = 200
"""Size of a sample below which it is no part of a word: -44 dBFS."""


def quiet_after(samples: Samples) -> float:
    """Return how many seconds at the end of `samples` have nothing louder than `FAINT`."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > FAINT)
    return (len(samples) - (int(loud[-1]) + 1 if loud.size else 0)) / RATE
