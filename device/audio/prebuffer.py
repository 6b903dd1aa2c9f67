"""PURE. What is said before the call is up: kept from the press, then sent whole and in order until it is caught up.

The same where another call takes over: what was said last is sent to it once more, so that a word that began with one call
is whole for the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from device.audio.block import Samples

CAPACITY: Final = 500
"""Blocks kept: 10 s; the oldest are dropped beyond that."""

RECENT: Final = 40
"""Blocks that a call that takes over is sent once more: 0.8 s, longer than the service takes to notice that somebody talks."""


class Prebuffer:
    """Passes blocks on; between `keep` and `release` it keeps them, and then gives two per block until it is live."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._kept: deque[Samples] = deque(maxlen=capacity)
        self._passed: deque[Samples] = deque(maxlen=RECENT)
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
        self.discard()
        self.keeping = True

    def hold(self) -> None:
        """Keep what comes, and what was passed on last, for a call that takes over from one that is gone."""
        self.repeat()
        self.keeping = True

    def repeat(self) -> None:
        """Send what was passed on last once more."""
        both = [*self._passed, *self._kept]
        self.dropped += max(0, len(both) - (self._kept.maxlen or 0))
        self._kept.clear()
        self._kept.extend(both)
        self._passed.clear()

    def release(self) -> None:
        """Begin to send what was kept."""
        self.keeping = False

    def discard(self) -> None:
        """Forget what was kept and pass on what comes."""
        self._kept.clear()
        self._passed.clear()
        self.keeping = False

    def push(self, block: Samples) -> Sequence[Samples]:
        """Take the next block and return those to send now, oldest first."""
        if self.keeping:
            self.dropped += len(self._kept) == self._kept.maxlen
            self._kept.append(block)
            return ()
        due = self._two(block) if self._kept else (block,)
        self._passed.extend(due)
        return due

    def _two(self, block: Samples) -> Sequence[Samples]:
        oldest = self._kept.popleft()
        self._kept.append(block)
        return (oldest, self._kept.popleft())
