"""PURE. How long to wait before trying again: exponential with full jitter, so that a fleet never returns at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def delays(uniform: Callable[[float, float], float], *, first: float = 1.0, longest: float = 30.0) -> Iterator[float]:
    """Yield waiting times in seconds for ever; `uniform(low, high)` draws the jitter."""
    ceiling = first
    while True:
        yield uniform(0.0, ceiling)
        ceiling = min(longest, 2 * ceiling)
