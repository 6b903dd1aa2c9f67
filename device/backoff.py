"""PURE. How long to wait before trying again: exponential with full jitter, so that a fleet never returns at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

LASTED: Final = 60.0
"""Seconds after which a connection has proved good: what ends sooner may end again at once, such as one of two robots
with one identity, each of which takes the other's place."""


def delays(uniform: Callable[[float, float], float], *, first: float = 1.0, longest: float = 30.0) -> Iterator[float]:
    """Yield waiting times in seconds for ever; `uniform(low, high)` draws the jitter."""
    ceiling = first
    while True:
        yield uniform(0.0, ceiling)
        ceiling = min(longest, 2 * ceiling)


class Waits:
    """How long to wait before a connection is tried again: ever longer, and as at first after one that has `LASTED`."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        self._uniform = uniform
        self._delays = delays(uniform)
        self._up_since: float | None = None

    def came_up(self, now: float) -> None:
        """Take note, at monotonic `now`, that the connection has come up."""
        self._up_since = now

    def over(self, now: float) -> float:
        """Return how many seconds to wait, at monotonic `now`, when the connection is over or has not come up."""
        since, self._up_since = self._up_since, None
        if since is not None and now - since >= LASTED:
            self._delays = delays(self._uniform)
        return next(self._delays)
