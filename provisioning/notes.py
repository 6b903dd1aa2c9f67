"""Messages that robots hand over for the operator: that one came is written down, its words are only shown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiomqtt

from device.errors import BrokerError, MessageError, StoreError
from device.messages import topics
from device.messages.reports import Event, OperatorNote, decode_event
from provisioning.listener import PartialListener
from provisioning.store import Store

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 1000


class NoteAudit(PartialListener):
    """A listener that writes down that a message came, and not what it says. `run()` it in a task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arrived: asyncio.Queue[tuple[str, OperatorNote]] = asyncio.Queue(MOST_WAITING)

    def on_event(self, device: str, event: Event) -> None:
        """Take one thing that happened at `device`."""
        if not isinstance(event, OperatorNote):
            return
        try:
            self._arrived.put_nowait((device, event))
        except asyncio.QueueFull:
            _log.warning("too many messages for the operator; one of %s is not written down", device)

    async def run(self) -> None:
        """Write down what comes, for ever."""
        while True:
            device, note = await self._arrived.get()
            _log.info("%s has a message for the operator (kaiwa-cloud notes shows them as they come)", device)
            try:
                async with self._store.transaction() as t:
                    await t.audit.add(time.time(), device, "operator_note", note.session, letters=len(note.text))
            except StoreError:
                _log.exception("a message of %s for the operator was not written down", device)


@dataclass(frozen=True, slots=True)
class Noted:
    """One message and whose it is."""

    device: str
    note: OperatorNote


async def notes(client: aiomqtt.Client) -> AsyncIterator[Noted]:
    """Yield messages for the operator as they come, over an operator's connection, for ever.

    Raises:
        BrokerError: the connection fell.
    """
    try:
        await client.subscribe(topics.EVERY_EVENT, qos=1)
        async for message in client.messages:
            try:
                device, event = topics.device_of(str(message.topic)), decode_event(message.payload)
            except MessageError:
                continue  # the service logs what is malformed
            if isinstance(event, OperatorNote):
                yield Noted(device, event)
    except aiomqtt.MqttError as error:
        raise BrokerError(f"the connection to the broker fell: {error}") from None
