"""One call: the peer connection, the data channel, and the dialogue on it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from provisioning.local.closing import close_wholly
from provisioning.local.realtime import messages
from provisioning.local.realtime.answer import shaped_answer, without_candidates
from provisioning.local.realtime.dialogue import Dialogue, House
from provisioning.local.realtime.faults import EventFault
from provisioning.local.realtime.identifiers import call_id, identifier
from provisioning.local.realtime.listening import frames, hear_promptly
from provisioning.local.realtime.lite import LiteConnection
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.playback import Playback
from provisioning.local.realtime.refusals import RefusedError, invalid_offer
from provisioning.local.realtime.requests import carry_out
from provisioning.local.realtime.session import Session

CHANNEL: Final = "oai-events"

PARTING_SECONDS: Final = 0.2
"""From the last event to the abort, so that the event arrives first."""

UNUSABLE_OFFER: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    InvalidAccessError,
    InvalidStateError,
    LookupError,
    OperationError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What aiortc raises, from many places, when an SDP makes no sense."""

_log = logging.getLogger(__name__)


class _OverError(Exception):
    """Ends the tasks of a call."""


class Call:
    """One call, from the offer until it is hung up, lost or expired; `run` owns and releases all of it."""

    def __init__(self, house: House, config: dict[str, Any]) -> None:
        self.id = call_id()
        self._house, self._playback = house, Playback()
        self._seconds = house.faults.session_seconds or house.settings.session_seconds
        expires_at = int(time.time() + self._seconds)
        self._session = Session(identifier("sess"), expires_at, config)
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel: asyncio.Future[RTCDataChannel] = asyncio.get_running_loop().create_future()
        self._asked: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._over = asyncio.Event()
        self.connection: LiteConnection | None = None
        """Its ICE agent, once the offer was taken."""

    async def answer(self, offer: str) -> str:
        """Return the SDP answer.

        Raises:
            RefusedError: the offer makes no sense.
        """
        self._peer.on("datachannel", self._opened)
        self._peer.on("connectionstatechange", self._changed)
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(without_candidates(offer), "offer"))
            self._peer.addTrack(self._playback)
            settings = self._house.settings
            self.connection = LiteConnection.adopt(
                self._peer, self._house.faults, strict=settings.strict_consent, host=settings.host
            )
            hear_promptly(self._peer.getTransceivers()[0].receiver)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except UNUSABLE_OFFER as error:
            await close_wholly(self._peer)
            raise invalid_offer(str(error) or type(error).__name__) from None
        return shaped_answer(self._peer.localDescription.sdp, offer)

    def hang_up(self) -> None:
        """End the call."""
        self._over.set()
        if not self._channel.done():
            self._channel.set_exception(_OverError())

    async def run(self) -> None:
        """Hold the call until it is over, then release it."""
        try:
            async with asyncio.timeout(self._house.settings.opening_seconds):
                channel = await self._channel
        except (TimeoutError, _OverError):
            _log.info("call %s was never opened", self.id)
        else:
            await self._converse(channel)
        finally:
            self._playback.stop()
            await close_wholly(self._peer)

    async def _converse(self, channel: RTCDataChannel) -> None:
        def send(event: Event) -> None:
            text = msgspec.json.encode(event).decode()
            garbled = self._house.faults.events is EventFault.GARBLED
            if channel.readyState == "open" and self._house.faults.events is not EventFault.SILENT:
                channel.send(text[: len(text) // 2] if garbled else text)

        send(messages.session_created(self._session.view))
        self._house.ears.warm_up()
        try:
            async with asyncio.TaskGroup() as tasks:
                dialogue = Dialogue(self._house, self._session, self._playback, send, tasks)
                tasks.create_task(self._listen(dialogue), name="listen")
                tasks.create_task(self._obey(dialogue, send), name="obey")
                await self._last(send)
        except* _OverError:
            _log.info("call %s is over", self.id)

    async def _listen(self, dialogue: Dialogue) -> None:
        async for frame in frames(self._peer.getTransceivers()[0].receiver.track):
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
        raise _OverError

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

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL or self._channel.done():
            return
        channel.on("message", self._asked.put_nowait)
        channel.on("close", self.hang_up)
        self._channel.set_result(channel)

    def _changed(self) -> None:
        if self._peer.connectionState in {"closed", "failed"}:
            self.hang_up()
