"""Devices become active when they are first seen on the broker."""

from __future__ import annotations

import logging
import time

from device.errors import StoreError
from device.messages.reports import DeviceState, Lifecycle
from provisioning.listener import PartialListener
from provisioning.store import Store
from provisioning.waiting import Waiting

_log = logging.getLogger(__name__)


class Presence(PartialListener):
    """A listener that notes first sightings. `run()` it in a task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: set[str] = set()
        self._arrived = Waiting()

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card."""
        if state.lifecycle is Lifecycle.INIT:
            self._seen.discard(state.device)  # perhaps enrolled again since
        if state.lifecycle in {Lifecycle.INIT, Lifecycle.READY} and state.device not in self._seen:
            self._seen.add(state.device)
            self._arrived.put(state.device)

    async def run(self) -> None:
        """Note who arrives, for ever."""
        while True:
            device = await self._arrived.get()
            try:
                async with self._store.transaction() as t:
                    if await t.devices.activate(device, time.time()):
                        await t.audit.add(time.time(), device, "active", device)
                        _log.info("%s is active", device)
            except StoreError:
                self._seen.discard(device)
                _log.exception("the arrival of %s was not noted", device)
