"""Alarms about an identity that somebody else uses, too: kept with the device, in the audit, and in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from device.errors import StoreError
from device.messages.reports import DeviceState
from provisioning.clones import Quarrels
from provisioning.listener import PartialListener
from provisioning.store import Store, Transaction

_log = logging.getLogger(__name__)

QUARREL: Final = "two use its name at the broker"
REPLACED_KEY: Final = "its replaced key was used"
SECOND_SUCCESSOR: Final = "a second key asked to succeed its own"
CLAIM_AGAIN: Final = "its claim was used again"
FOREIGN_KEY: Final = "its key was offered by another"

QUIET_SECONDS: Final = 3600.0
"""An alarm that goes on is written down once in so many seconds."""

MOST_WAITING: Final = 1000


async def raise_alarm(t: Transaction, device: str, why: str, now: float) -> None:
    """Raise the alarm about a device, in the transaction in which it was noticed."""
    _log.warning(
        "the identity of %s is used twice? %s; if you do not know why, revoke it and enrol it anew", device, why
    )
    if await t.devices.alarm(device, why, now, QUIET_SECONDS):
        await t.audit.add(now, "cloud", "clone_alarm", device, why=why)


class Alarms(PartialListener):
    """A listener that notices quarrels. `run()` it in a task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._quarrels = Quarrels()
        self._noticed: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)

    def on_state(self, state: DeviceState) -> None:
        """Take a device's card."""
        if self._quarrels.on_state(state.device, state.lifecycle, time.monotonic()) and not self._noticed.full():
            self._noticed.put_nowait(state.device)

    async def run(self) -> None:
        """Write down what was noticed, for ever."""
        while True:
            device = await self._noticed.get()
            try:
                async with self._store.transaction() as t:
                    await raise_alarm(t, device, QUARREL, time.time())
            except StoreError:
                _log.exception("the alarm about %s was not written down", device)
