"""A speaker that takes 20 ms at a time of a voice that comes in pieces, for tests that look at the voice alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from device.audio.block import BLOCK, SILENCE, Samples


class Taker:
    """Pulls as late as it can: only what the next 20 ms lack."""

    def __init__(self) -> None:
        self._left: Samples = SILENCE[:0]

    def take(self, pull: Callable[[], Samples]) -> Samples:
        """Return the next 20 ms, shape (960,)."""
        while self._left.size < BLOCK:
            self._left = np.concatenate((self._left, pull()))
        block, self._left = self._left[:BLOCK], self._left[BLOCK:]
        return block
