"""PURE. What is said before the call is up: kept from the press, then sent whole and in order until it is caught up."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from device.audio.block import Samples

CAPACITY: Final = 500
"""Blocks kept: 10 s; the oldest are dropped beyond that."""


class Prebuffer:
    """Passes blocks on; between `keep` and `release` it keeps them, and then gives two per block until it is live."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._kept: deque[Samples] = deque(maxlen=capacity)
        self.keeping = False
        """Whether blocks are kept instead of passed on."""
        self.dropped = 0
        """Blocks lost because too many were kept; only grows."""

    @property
    def behind(self) -> int:
        """Blocks that are still to be sent."""
        return len(self._kept)

    def keep(self) -> None:
        """Begin anew to keep what comes."""
        self._kept.clear()
        self.keeping = True

    def release(self) -> None:
        """Begin to send what was kept."""
        self.keeping = False

    def discard(self) -> None:
        """Forget what was kept and pass on what comes."""
        self._kept.clear()
        self.keeping = False

    def push(self, block: Samples) -> Sequence[Samples]:
        """Take the next block and return those to send now, oldest first."""
        if self.keeping:
            self.dropped += len(self._kept) == self._kept.maxlen
            self._kept.append(block)
            return ()
        if not self._kept:
            return (block,)
        oldest = self._kept.popleft()
        self._kept.append(block)
        return (oldest, self._kept.popleft())
