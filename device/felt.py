"""PURE. What a gesture at the button is to the session machine."""

from __future__ import annotations

from collections.abc import Iterator

from device import phase as p
from device.panel.gestures import DEBOUNCE, Gesture


class Felt:
    """Turns gestures into events; times are monotonic seconds."""

    def __init__(self) -> None:
        self._pressed_at = 0.0

    def meaning(self, gesture: Gesture, at: float) -> Iterator[p.Event]:
        """Yield the event that a gesture is, if any: a hold means what the press before it has meant already."""
        match gesture:
            case Gesture.PRESS:
                self._pressed_at = at
                yield p.Pressed()
            case Gesture.RELEASE:
                yield p.LetGo(max(0.0, at - self._pressed_at - DEBOUNCE))
            case Gesture.LONG_HOLD:
                yield p.ClaimWished()
            case Gesture.HOLD:
                return
