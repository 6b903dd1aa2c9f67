"""One call of the Realtime API: the dialogue on a connection, and its end after an hour."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aiortc import RTCDataChannel

from provisioning.local.realtime import messages
from provisioning.local.realtime.dialogue import Dialogue, House
from provisioning.local.realtime.identifiers import call_id, identifier
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.peer_call import PARTING_SECONDS, OverError, PeerCall
from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.requests import carry_out
from provisioning.local.realtime.session import Session

_log = logging.getLogger(__name__)


class Call(PeerCall):
    """One call, from the offer until it is hung up, lost or expired."""

    def __init__(self, house: House, config: dict[str, Any]) -> None:
        super().__init__(house, call_id())
        self._session = Session(identifier("sess"), int(time.time() + self._seconds), config)

    async def _converse(self, channel: RTCDataChannel) -> None:
        send = partial(self._send_on, channel)
        send(messages.session_created(self._session.view))
        self._house.ears.warm_up()
        try:
            async with asyncio.TaskGroup() as tasks:
                dialogue = Dialogue(self._house, self._session, self._playback, send, tasks)
                tasks.create_task(self._listen(dialogue), name="listen")
                tasks.create_task(self._obey(dialogue, send), name="obey")
                await self._last(send)
        except* OverError:
            _log.info("call %s is over", self.id)

    async def _listen(self, dialogue: Dialogue) -> None:
        async for frame in self._frames():
            dialogue.hear(frame)

    async def _obey(self, dialogue: Dialogue, send: Callable[[Event], None]) -> None:
        while True:
            carry_out(dialogue, await self._asked.get(), send)

    async def _last(self, send: Callable[[Event], None]) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._over.wait()
        except TimeoutError:
            await self._expire(send)
        raise OverError

    async def _expire(self, send: Callable[[Event], None]) -> None:
        """End as the real service does after an hour: an error, an SCTP abort, and a peer connection left open."""
        text = "Your session hit the maximum duration of 60 minutes."
        send(messages.error(RefusedError(400, "session_expired", text)))
        self._playback.stop()
        await asyncio.sleep(PARTING_SECONDS)
        channel = self._channel.result()
        channel.remove_all_listeners()
        await channel.transport.stop()
        await self._over.wait()
