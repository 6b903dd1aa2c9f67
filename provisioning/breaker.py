"""PURE. A circuit breaker: after some failures in a row a service is left alone for a while, then one call tries it."""

from __future__ import annotations

from typing import Final

FAILURES: Final = 5
"""In a row, after which a service rests."""

REST: Final = 30.0
"""Seconds for which it does, and for which a trial may take at most."""


class Breaker:
    """What is known of one service; `now` is in seconds by any one clock."""

    def __init__(self, failures: int = FAILURES, rest: float = REST) -> None:
        self._failures, self._rest = failures, rest
        self._in_a_row = 0
        self._rests_until = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds after which a call may be made; 0 for now, which then must be told of by `told`.

        The first to be let through after a rest is the trial: the others wait for what comes of it.
        """
        if self._in_a_row < self._failures:
            return 0.0
        if now < self._rests_until:
            return self._rests_until - now
        self._rests_until = now + self._rest
        return 0.0

    def told(self, now: float, *, good: bool) -> None:
        """Take how a call went."""
        self._in_a_row = 0 if good else self._in_a_row + 1
        if self._in_a_row >= self._failures:
            self._rests_until = now + self._rest
