"""For a minter that is a process of its own: whether the leash has written down the end of the session before."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from device.messages.reports import Event, SessionEnded
from provisioning.fading import Fading
from provisioning.listener import PartialListener
from provisioning.store import Store

SETTLE_SECONDS: Final = 2.0
"""How long a request waits until the end of the session before it is written down."""

LOOK_SECONDS: Final = 0.02
"""Between two looks into the store; the leash needs some milliseconds."""

TOLD_SECONDS: Final = 60.0
"""After so long the leash has written it down: every minter hears of all ends, and is asked by few of the devices."""

MOST_TOLD: Final = 10_000
"""Ends that are known; the oldest are forgotten first."""


class Endings(PartialListener):
    """A listener that knows of which session's end each device has told last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: Fading[str] = Fading(TOLD_SECONDS, MOST_TOLD)

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at a device."""
        if isinstance(event, SessionEnded):
            self._told.put(device, event.session, time.monotonic())

    async def settled(self, device: str) -> None:
        """Wait until the end of a session that `device` has told of is written down, but not for long.

        Raises:
            StoreError: the store does not answer.
        """
        session = self._told.pop(device, time.monotonic())
        if session is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._until_over(session)

    async def _until_over(self, session: str) -> None:
        while True:
            async with self._store.transaction() as t:
                found = await t.sessions.find(session)
            if found is None or found.ended_at is not None:
                return
            await asyncio.sleep(LOOK_SECONDS)
