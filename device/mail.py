"""What arrives over MQTT: answers go to whoever asked, orders to whoever carries them out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from device.agent import Inbox
from device.clock import WallClock
from device.errors import MessageError
from device.messages.commands import CommandStatus
from device.mqtt import Incoming
from device.orders import Orders
from device.outlet import Outlet
from device.phase import UpdateOrdered
from device.update.attending import Updates

_log = logging.getLogger(__name__)

MOST_ORDERS: Final = 16
"""Orders that wait to be looked at; more come from no operator who means well."""


class Mail:
    """Sorts what arrives over MQTT: answers to who asked, orders to the inbox. `obey()` it in a task."""

    def __init__(
        self,
        answers: Mapping[str, Callable[[bytes], None]],
        orders: Orders,
        updates: Updates,
        outlet: Outlet,
        clock: WallClock,
        inbox: Inbox,
    ) -> None:
        self._answers, self._orders, self._updates = answers, orders, updates
        self._outlet, self._clock, self._inbox = outlet, clock, inbox
        self._ordered: asyncio.Queue[Incoming] = asyncio.Queue(MOST_ORDERS)

    def take(self, message: Incoming) -> None:
        """Take one message; what must not be acted on is logged and dropped."""
        try:
            if (take := self._answers.get(message.topic)) is not None:
                take(message.payload)
            else:
                self._ordered.put_nowait(message)
        except (MessageError, asyncio.QueueFull) as error:
            _log.warning("dropped a message on %s: %s", message.topic, str(error) or "too many orders")

    async def obey(self) -> None:
        """Take the orders one after the other, for ever; what must not be acted on is logged and dropped."""
        while True:
            message = await self._ordered.get()
            try:
                await self._order(message)
            except MessageError as error:
                _log.warning("dropped a message on %s: %s", message.topic, error)

    async def _order(self, message: Incoming) -> None:
        now = self._clock.now()  # and off the event loop, which carries the voice: the disk may take its time
        outcome = await asyncio.to_thread(self._orders.take, message.payload, now, retained=message.retained)
        if isinstance(outcome, UpdateOrdered):
            await self._updates.obey(outcome)
        elif isinstance(outcome, CommandStatus):
            self._outlet.status(outcome)
        else:
            self._inbox.post(outcome)
