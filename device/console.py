"""The operator's console on this side: while one watches, for two minutes at most, the events of the call are shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic as now
from typing import Final

from device.masking import shown
from device.messages.console import LONGEST_BODY, EventsMissed, LevelsNow, Shown, WireEvent
from device.messages.reports import Levels
from device.outlet import Outlet

LEVELS_SECONDS: Final = 0.2

FASTEST: Final = 60.0
"""Events a second that are shown, on the average; an answer in words has some thirty."""

BURST: Final = 300.0
"""Events that may come at once."""

SETTINGS: Final = ('"session.created"', '"session.updated"')
"""Events that hold all settings of the conversation."""

TYPE_WITHIN: Final = 120
"""Characters at whose beginning an event's type stands."""

_log = logging.getLogger(__name__)


class Console:
    """Shows what passes on the data channel to whoever watches; nothing is kept but the settings of the session.

    They are shown again when a console begins to watch a conversation that goes on.
    """

    def __init__(self, outlet: Outlet, levels: Callable[[], Levels]) -> None:
        self._outlet, self._levels = outlet, levels
        self._until = self._filled_at = now()
        self._opened = asyncio.Event()
        self._settings: WireEvent | None = None
        self._room, self._missed = BURST, 0

    @property
    def watched(self) -> bool:
        """Whether an operator watches now."""
        return now() < self._until

    def watch(self, seconds: float) -> None:
        """Show everything for so many seconds from now; 0 ends it."""
        if not self.watched and seconds:
            _log.info("an operator watches the events of conversations")
            if self._settings is not None:
                self._show(self._settings)
        self._until = now() + seconds
        self._opened.set()

    def take(self, data: str | bytes, *, sent: bool) -> None:
        """Take one event of the data channel; nothing becomes of it unless somebody watches."""
        settings = isinstance(data, str) and any(kind in data[:TYPE_WITHIN] for kind in SETTINGS)
        if not settings and not self.watched:
            return
        name, body, cut = shown(data, LONGEST_BODY)
        event = WireEvent(at=self._outlet.now(), sent=sent, name=name, body=body, cut=cut)
        if settings:
            self._settings = event
        if self.watched:
            self._show(event)

    def forget(self) -> None:
        """The call is over: its settings are nobody's any more."""
        self._settings = None

    async def attend(self) -> None:
        """Show the levels while somebody watches, for ever."""
        while True:
            self._opened.clear()
            while self.watched:
                self._outlet.console(LevelsNow(at=self._outlet.now(), levels=self._levels()))
                await asyncio.sleep(LEVELS_SECONDS)
            await self._opened.wait()

    def _show(self, event: WireEvent) -> None:
        if not self._has_room():
            self._missed += 1
            return
        if self._missed:
            self._tell_missed()
        self._outlet.console(event)

    def _tell_missed(self) -> None:
        missed: Shown = EventsMissed(at=self._outlet.now(), count=self._missed)
        self._missed = 0
        self._outlet.console(missed)

    def _has_room(self) -> bool:
        at = now()
        self._room = min(BURST, self._room + FASTEST * (at - self._filled_at))
        self._filled_at = at
        if self._room < 1.0:
            return False
        self._room -= 1.0
        return True
