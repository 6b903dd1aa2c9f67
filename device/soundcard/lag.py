"""PURE. How late the event loop is: from the sound card's thread posting a block to the loop taking it."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

MINUTE: Final = 3_000
"""Blocks in a minute, over which the figures are taken."""


class LoopLag:
    """Remembers the lag of every block of the last minute."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=MINUTE)

    def add(self, seconds: float) -> None:
        """Take the lag of one block."""
        self._lags.append(seconds)

    def counters(self) -> dict[str, float]:
        """Return the 99th percentile and the worst of the last minute, in milliseconds; 0 before the first block."""
        lags = np.array(self._lags or [0.0]) * 1000.0
        return {"loop_lag_p99_ms": float(np.percentile(lags, 99)), "loop_lag_worst_ms": float(lags.max())}
