"""PURE. What is due when, of many things whose time changes often: the first is at hand, however many there are.

A heap of when each was due. What is put off, as by every sign of life, stays where it is, and is moved when it comes to
the top: that costs O(log n) once in the time by which it is put off, and O(1) at each of the signs.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

SLACK: Final = 64
"""Entries out of use that are kept besides as many as there are things."""


class Deadlines:
    """Times by name, in any unit."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._entered: dict[str, float] = {}
        """At which time each stands in the heap; that is never later than when it is due."""
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._at)

    def set(self, name: str, at: float) -> None:
        """Let something be due at another time than before, or at all."""
        self._at[name] = at
        if name not in self._entered or at < self._entered[name]:
            self._enter(name, at)

    def drop(self, name: str) -> None:
        """Forget something; what is not there is forgotten already."""
        self._at.pop(name, None)
        self._entered.pop(name, None)
        self._tidy()

    def first(self) -> tuple[float, str] | None:
        """Return what is due first, and when; None when there is nothing."""
        while self._heap:
            entered, name = self._heap[0]
            if self._at.get(name) == entered:
                return entered, name
            heappop(self._heap)
            if self._entered.get(name) == entered:  # else it stands elsewhere, or is gone
                self._enter(name, self._at[name])
        return None

    def _enter(self, name: str, at: float) -> None:
        self._entered[name] = at
        heappush(self._heap, (at, name))
        self._tidy()

    def _tidy(self) -> None:
        if len(self._heap) > 2 * len(self._at) + SLACK:
            self._entered = dict(self._at)
            self._heap = [(at, name) for name, at in self._at.items()]
            heapify(self._heap)
