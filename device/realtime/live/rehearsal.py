"""PURE. A second Live session before it is used: it is told what was said before, and has to take it.

A Live session that hears only silence says nothing of it, so that sound arrives there is not proven by an event; that no
packets are acknowledged ends a call like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count

from device.messages.reports import Speaker
from device.realtime.history import Line
from device.realtime.live.events import ContextAppended, ErrorDetail, pieces, thinking_append

_NAMES = {Speaker.USER: "Visitor", Speaker.ASSISTANT: "You"}

_HEADING = "What was said in this conversation so far; go on from there, and do not greet again."


class LiveRehearsal:
    """What one session is told of those before it; every method returns the client events to be sent."""

    def __init__(self) -> None:
        self.refused: str | None = None
        """Why the session cannot be used, once that is known."""
        self._before: Callable[[], Sequence[Line]] | None = None
        self._asked = False
        self._told: set[str] = set()
        self._waiting: set[str] = set()
        self._numbers = count(1)

    @property
    def going_on(self) -> bool:
        """Whether nothing counts yet but that the session works."""
        return self._before is not None

    @property
    def proven(self) -> bool:
        """Whether it has taken all that it was told."""
        return self._asked and not self._waiting and self.refused is None

    @property
    def step(self) -> str:
        """How far it is."""
        return "told" if self._asked else "waiting"

    def begin(self, before: Callable[[], Sequence[Line]]) -> None:
        """Rehearse from now on."""
        self._before = before

    def use(self) -> None:
        """Rehearse no longer."""
        self._before = None

    def ask(self) -> list[str]:
        """Tell what was said before, once."""
        if self._asked or self._before is None:
            return []
        self._asked = True
        return self.tell(self._before())

    def tell(self, lines: Iterable[Line]) -> list[str]:
        """Tell what was said, as far as it was not told yet."""
        new = [line for line in lines if line.id not in self._told]
        if not new:
            return []
        self._told |= {line.id for line in new}
        text = "\n".join([_HEADING, *(f"{_NAMES[line.speaker]}: {line.text}" for line in new)])
        return [self._append(piece) for piece in pieces(text)]

    def appended(self, event: ContextAppended) -> None:
        """Take that the session has taken something."""
        self._waiting.discard(event.client_event_id or "")

    def complained(self, error: ErrorDetail) -> None:
        """Take that the session has refused something."""
        self.refused = f"{error.code or error.type}: {error.message}"

    def _append(self, text: str) -> str:
        name = f"before_{next(self._numbers)}"
        self._waiting.add(name)
        return thinking_append(text, name)
