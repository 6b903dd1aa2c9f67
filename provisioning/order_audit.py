"""Who ordered what, when and why: every genuine order that goes over the broker is written into the audit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import Final

from device.errors import MalformedMessageError, StoreError
from device.messages.commands import Command, Update, Verb
from device.messages.envelope import Envelope
from device.messages.mandates import Order, tool_of
from device.messages.releases import Release
from device.messages.wire import convert, decode
from provisioning.store import Store

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 1000

REMEMBERED: Final = 1000
"""Ids of orders that were heard; one that is played again within its 15 seconds is written down once."""


class OrderAudit:
    """Writes down what `heard` is told of. `run()` it in a task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: asyncio.Queue[tuple[Command, str]] = asyncio.Queue(MOST_WAITING)
        self._known: deque[str] = deque(maxlen=REMEMBERED)

    def heard(self, order: Order, objection: str) -> None:
        """Take an order, and why its operator may not give it, if so."""
        command = order.command
        if command.id in self._known:
            return
        self._known.append(command.id)
        try:
            self._waiting.put_nowait((command, objection))
        except asyncio.QueueFull:
            _log.warning("too many orders; one of %s is not written down", command.issuer)

    async def run(self) -> None:
        """Write down what comes, for ever."""
        while True:
            command, objection = await self._waiting.get()
            try:
                async with self._store.transaction() as t:
                    detail = told(command, objection)
                    await t.audit.add(time.time(), command.issuer[:80], "ordered", command.device[:80], **detail)
            except StoreError:
                _log.exception("an order of %s was not written down", command.issuer)


def told(command: Command, objection: str) -> dict[str, str]:
    """Return what the audit holds of an order: never the arguments, which may be words that somebody is to hear."""
    detail = {"id": command.id[:64], "verb": str(command.verb), "tool": tool_of(command), "why": command.why}
    detail |= {"version": _version(command), "refused": objection[:200]}
    return {name: text for name, text in detail.items() if text}


def _version(command: Command) -> str:
    """Return the version that a robot is to become, as its release says; whether that holds is the robot's to judge."""
    if command.verb is not Verb.UPDATE:
        return ""
    try:
        sealed = convert(command.args, Update).release.encode()
        return decode(decode(sealed, Envelope).payload, Release).version
    except MalformedMessageError:
        return ""
