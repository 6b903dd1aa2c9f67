"""One Live session on a connection, and its end: asked for, from outside, by its age, or because the client has gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from aiortc import RTCDataChannel

from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.identifiers import identifier
from provisioning.local.realtime.live import messages
from provisioning.local.realtime.live.dialogue import LiveDialogue
from provisioning.local.realtime.live.requests import carry_out
from provisioning.local.realtime.live.session import LiveSession
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.peer_call import PARTING_SECONDS, OverError, PeerCall

_log = logging.getLogger(__name__)


class LiveCall(PeerCall):
    """One session, from the offer until it is closed, lost or expired.

    Raises:
        RefusedError: what was asked for is not a session.
    """

    def __init__(self, house: House, asked: Any) -> None:
        name = identifier("live")
        super().__init__(house, name)
        self._session = LiveSession(name, int(time.time() + self._seconds), asked)
        self.over: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        """The last event, once the session is over."""

    async def _converse(self, channel: RTCDataChannel) -> None:
        def send(event: Event) -> None:
            if self._session.may_hear(event):
                self._send_on(channel, event)

        send(messages.started(self._session.view))
        if self._session.limited:
            send(messages.permissions())
        self._house.ears.warm_up()
        try:
            async with asyncio.TaskGroup() as tasks:
                dialogue = LiveDialogue(self._house, self._session, self._playback, send, tasks)
                tasks.create_task(self._listen(dialogue), name="listen")
                tasks.create_task(self._obey(dialogue, send), name="obey")
                tasks.create_task(dialogue.reckon(), name="reckon")
                await self._last(dialogue, send)
        except* OverError:
            _log.info("session %s is over", self.id)

    async def _listen(self, dialogue: LiveDialogue) -> None:
        async for frame in self._frames():
            dialogue.hear(frame)

    async def _obey(self, dialogue: LiveDialogue, send: Callable[[Event], None]) -> None:
        while True:
            carry_out(dialogue, await self._asked.get(), send, self.hang_up)

    async def _last(self, dialogue: LiveDialogue, send: Callable[[Event], None]) -> None:
        reason = "close_requested"
        try:
            async with asyncio.timeout(self._seconds):
                await self._over.wait()
        except TimeoutError:
            reason = "expired"
        self._playback.stop()
        last = messages.closed(self._session.view, reason, dialogue.seconds)
        send(last)
        self.over.set_result(last)
        await asyncio.sleep(PARTING_SECONDS)
        raise OverError
