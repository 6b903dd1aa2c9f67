"""PURE. Where each block of sound belongs, so that sounds and words of a record keep step whatever gets lost.

Blocks are numbered by the clock at their arrival. Clocks differ by some parts in 100,000 and blocks come some milliseconds
early or late; only what is further off is mended.
"""

from __future__ import annotations

from typing import Final

from device.audio.block import BLOCK_SECONDS

TOLERANCE: Final = 3
"""Blocks by which sound and clock may part: 60 ms, less than what lips and voice may."""


class Pace:
    """Counts the blocks of a record that began at `origin` (monotonic seconds)."""

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self.written = 0
        """Blocks so far, silence in place of lost ones included."""

    def place(self, at: float) -> int | None:
        """Return how many blocks of silence come before the block that ended at `at`; None: it comes too early, drop it."""
        due = round((at - self._origin) / BLOCK_SECONDS) - 1
        behind = due - self.written
        if behind < -TOLERANCE:
            return None
        silence = behind if behind > TOLERANCE else 0
        self.written += silence + 1
        return silence

    @property
    def seconds(self) -> float:
        """Length of the sounds so far."""
        return self.written * BLOCK_SECONDS
