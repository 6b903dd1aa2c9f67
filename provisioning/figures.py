"""What devices tell of sessions that are over, without a word of them: kept, so that people can look back."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from device.errors import StoreError
from device.messages.reports import Event, SessionFigures
from provisioning.listener import PartialListener
from provisioning.store import Store

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 1000


class FigureBook(PartialListener):
    """A listener that keeps the figures of sessions. `run()` it in a task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrived: asyncio.Queue[tuple[str, SessionFigures]] = asyncio.Queue(MOST_WAITING)

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at `device`."""
        if not isinstance(event, SessionFigures):
            return
        try:
            self._arrived.put_nowait((device, event))
        except asyncio.QueueFull:
            _log.warning("too many figures of sessions; those of one of %s are not kept", device)

    async def run(self) -> None:
        """Keep what comes, for ever."""
        while True:
            device, figures = await self._arrived.get()
            try:
                if not await self._keep(device, figures):
                    _log.warning("%s told of a session that is none of its own, or twice", device)
            except StoreError:
                _log.exception("the figures of a session of %s are not kept", device)

    async def _keep(self, device: str, figures: SessionFigures) -> bool:
        async with self._store.transaction() as t:
            return await t.history.add(device, figures)
