"""PURE. Whether the microphone is switched off, from the raw edges of a second contact: a switch, or a button that latches.

Closing counts at the first edge, because whoever closes the microphone wants it closed; opening counts when the contact
has stayed open for `DEBOUNCE`. Times are monotonic seconds. The caller passes each edge to `handle` and calls `due` when
`deadline` has come.
"""

from __future__ import annotations

from device.panel.gestures import DEBOUNCE


class Switch:
    """The contact of a switch that stays where it is put; closed means off."""

    def __init__(self) -> None:
        self._closed = self._off = False
        self._opened_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When `due` should be called next; None when only an edge can change anything."""
        return self._opened_at + DEBOUNCE if self._off and not self._closed else None

    def handle(self, closed: bool, at: float) -> list[bool]:
        """Take one edge, closed or open since `at`; return every change known by then: True for off."""
        changes = self.due(at)
        if self._closed and not closed:
            self._opened_at = at
        self._closed = closed
        if closed and not self._off:
            self._off = True
            changes.append(True)
        return changes

    def due(self, now: float) -> list[bool]:
        """Return what has become true by waiting until `now`."""
        if self.deadline is None or now < self.deadline:
            return []
        self._off = False
        return [False]
