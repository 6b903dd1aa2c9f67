"""Keeping revoked robots off a broker that does not read our list of revocations, or reads it later.

Whoever is heard is looked up once for each connection. A robot that was revoked loses its connection as soon as it says
anything, as often as it comes back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from device.errors import StoreError
from device.messages.reports import DeviceState, Event, Lifecycle, Metrics
from provisioning.listener import PartialListener
from provisioning.policy import Status
from provisioning.store import Store
from provisioning.waiting import Waiting

_log = logging.getLogger(__name__)


class Expulsion(PartialListener):
    """A listener that has the connections of revoked robots ended by `end`. `run()` it in a task."""

    def __init__(self, store: Store, end: Callable[[str, float], Awaitable[None]]) -> None:
        self._store, self._end = store, end
        self._known: set[str] = set()
        """Who was looked up since they came, or waits for it."""
        self._heard = Waiting()

    def look_again(self) -> None:
        """Take nobody for known: somebody has been revoked."""
        self._known.clear()

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card; a Last Will comes from the broker, and not from a device that is there."""
        if state.lifecycle is not Lifecycle.READY:
            self._known.discard(state.device)
        if state.lifecycle in {Lifecycle.INIT, Lifecycle.READY}:
            self._hear(state.device)

    def on_event(self, device: str, _event: Event) -> None:
        """Take a sign of life."""
        self._hear(device)

    def on_metrics(self, device: str, _metrics: Metrics) -> None:
        """Take a sign of life."""
        self._hear(device)

    def _hear(self, device: str) -> None:
        if device not in self._known:
            self._known.add(device)
            self._heard.put(device)

    async def run(self) -> None:
        """Look up who is heard, for ever."""
        while True:
            device = await self._heard.get()
            try:
                revoked = await self._revoked(device)
            except StoreError as error:
                self._known.discard(device)
                _log.warning("whether %s is revoked could not be looked up: %s", device, error)
                continue
            if revoked:
                self._known.discard(device)
                _log.info("%s is revoked, and was let in by the broker", device)
                await self._end(device, time.time())

    async def _revoked(self, device: str) -> bool:
        async with self._store.transaction() as t:
            found = await t.devices.find(device)
        return found is not None and found.status is Status.REVOKED
