"""PURE. What a hand does to the button, from the raw edges of its contact.

A contact bounces for some milliseconds, both ways (Ganssle, "A Guide to Debouncing": 16 switches for 6.2 ms at most, two far
longer). A press counts at its very first edge, so that the light answers at once; a release counts when the contact
has stayed open for `DEBOUNCE`. Times are monotonic seconds. The caller passes each edge to `handle` and calls `due`
when `deadline` has come.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

DEBOUNCE: Final = 0.025
"""Seconds for which an open contact must stay open."""

HOLD: Final = 1.2
"""Seconds after which a press has become a hold."""

LONG_HOLD: Final = 8.0
"""Seconds after which nobody holds the button by chance."""


class Gesture(StrEnum):
    """What was meant."""

    PRESS = "press"
    """The button went down."""
    HOLD = "hold"
    """It has been down for `HOLD`; a press came before, a release will follow."""
    LONG_HOLD = "long hold"
    """It has been down for `LONG_HOLD`; press and hold came before, a release will follow."""
    RELEASE = "release"
    """It is up again."""


class Gestures:
    """Turns edges into gestures: press, perhaps hold and long hold, release, and again."""

    def __init__(self, long_hold: float = LONG_HOLD) -> None:
        self._holds = ((HOLD, Gesture.HOLD), (long_hold, Gesture.LONG_HOLD))
        self._closed = False
        self._opened_at = 0.0
        self._pressed_at: float | None = None
        self._held = 0  # how many of the holds have been told of

    def overlook(self) -> None:
        """Take it that the contact is closed already: no press, and only a release once it has opened for `DEBOUNCE`.

        Whoever still holds the button when somebody begins to look would else be felt to press when it bounces open.
        """
        self._closed, self._pressed_at, self._held = True, 0.0, len(self._holds)

    @property
    def deadline(self) -> float | None:
        """When `due` should be called next; None when only an edge can change anything."""
        if self._pressed_at is None:
            return None
        if not self._closed:
            return self._opened_at + DEBOUNCE
        return self._pressed_at + self._holds[self._held][0] if self._held < len(self._holds) else None

    def handle(self, closed: bool, at: float) -> list[Gesture]:
        """Take one edge of the contact, closed or open since `at`; return the gestures known by then, in order."""
        gestures = self.due(at)
        if self._closed and not closed:
            self._opened_at = at
        self._closed = closed
        if closed and self._pressed_at is None:
            self._pressed_at, self._held = at, 0
            gestures.append(Gesture.PRESS)
        return gestures

    def due(self, now: float) -> list[Gesture]:
        """Return what has become true by waiting until `now`, in order."""
        gestures = []
        while self.deadline is not None and now >= self.deadline:
            gestures.append(self._next())
        return gestures

    def _next(self) -> Gesture:
        if self._closed:
            self._held += 1
            return self._holds[self._held - 1][1]
        self._pressed_at = None
        return Gesture.RELEASE
