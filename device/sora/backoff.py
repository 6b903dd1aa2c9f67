"""PURE. How long to wait before the next attempt to go on air."""

from __future__ import annotations

from typing import Final

from device.sora.ends import Cause, End
from device.sora.ice import Relay

FIRST: Final = 0.5
LONGEST: Final = 30.0
SETTLED: Final = 20.0
"""A connection that was on air for so long was a success; the next failure starts from the shortest wait."""

LIFETIME_OVER: Final = "LIFETIME-EXPIRED"
"""Sora's reason when a connection has reached its longest allowed age, and a new one is welcome."""


class Backoff:
    """Waits that double from 0.5 to 30 seconds, each shortened at random by up to half so that robots spread out.

    Media that did not come up is tried over the next kind of relay without a longer wait, until all were tried.
    Whoever was sent away on purpose waits the longest at once.
    """

    def __init__(self) -> None:
        self._failures = 0
        self.attempt = 0
        """Which of the relays in an offer to use next (`ice.chosen`)."""

    def after(self, end: End, lasted: float, random: float) -> float:
        """Return the seconds to wait after `end`.

        Args:
            end: why the last connection is over.
            lasted: seconds for which it was on air.
            random: from [0, 1).
        """
        if lasted >= SETTLED:
            self._failures = 0
        return self._wait(end, lasted) * (1.0 - random / 2.0)

    def _wait(self, end: End, lasted: float) -> float:
        if end.cause is Cause.ENDED and end.reason != LIFETIME_OVER:
            return LONGEST
        if end.cause is Cause.MEDIA and not lasted:
            self.attempt += 1
            if self.attempt % len(Relay):
                return FIRST
        wait = min(LONGEST, FIRST * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return wait
