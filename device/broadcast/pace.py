"""PURE. Words that grow, told to the cloud no more often than eyes follow, because each message costs time on its whole way."""

from __future__ import annotations

import math
from typing import Final

from device.realtime.captions import Captioned

STEP: Final = 0.25
"""Seconds between two tellings of words that are not final: less than a word at the pace of speech. The service
sends them faster than they are spoken, one event for each."""


class Pace:
    """Keeps back what would be told too soon after the last; what is final passes at once. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._told_at = -math.inf
        self._waiting: dict[str, Captioned] = {}

    def take(self, caption: Captioned, now: float) -> Captioned | None:
        """Return the caption if it may be told now; it takes the place of what waits of the same id."""
        self._waiting.pop(caption.id, None)
        if caption.final:
            return caption
        if now - self._told_at < STEP:
            self._waiting[caption.id] = caption
            return None
        self._told_at = now
        return caption

    @property
    def waiting(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def seconds(self, now: float) -> float:
        """Return the seconds until what waits is to be told, 0 if it is late."""
        return max(0.0, self._told_at + STEP - now)

    def release(self, now: float) -> list[Captioned]:
        """Return what waits, to be told now."""
        waiting, self._waiting = list(self._waiting.values()), {}
        self._told_at = now if waiting else self._told_at
        return waiting
