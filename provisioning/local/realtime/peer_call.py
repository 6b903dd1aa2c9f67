"""What every call has: the peer connection and the data channel, from the offer until it is hung up or lost."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from provisioning.local.closing import close_wholly
from provisioning.local.realtime.answer import shaped_answer, without_candidates
from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.faults import EventFault
from provisioning.local.realtime.listening import frames, hear_promptly
from provisioning.local.realtime.lite import LiteConnection
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.playback import Playback
from provisioning.local.realtime.refusals import invalid_offer
from provisioning.local.realtime.sound import Samples

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


class OverError(Exception):
    """Ends the tasks of a call."""


class PeerCall(ABC):
    """One call, from the offer until it is hung up, lost or over; `run` owns and releases all of it."""

    def __init__(self, house: House, name: str) -> None:
        self.id = name
        self._house, self._playback = house, Playback()
        self._seconds = house.faults.session_seconds or house.settings.session_seconds
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
            self._channel.set_exception(OverError())

    async def run(self) -> None:
        """Hold the call until it is over, then release it."""
        try:
            async with asyncio.timeout(self._house.settings.opening_seconds):
                channel = await self._channel
        except (TimeoutError, OverError):
            _log.info("call %s was never opened", self.id)
        else:
            await self._converse(channel)
        finally:
            self._playback.stop()
            await close_wholly(self._peer)

    @abstractmethod
    async def _converse(self, channel: RTCDataChannel) -> None:
        """Talk until it is over."""

    def _frames(self) -> AsyncIterator[Samples]:
        """Yield what arrives of the client's voice."""
        return frames(self._peer.getTransceivers()[0].receiver.track)

    def _send_on(self, channel: RTCDataChannel, event: Event) -> None:
        text = msgspec.json.encode(event).decode()
        garbled = self._house.faults.events is EventFault.GARBLED
        if channel.readyState == "open" and self._house.faults.events is not EventFault.SILENT:
            channel.send(text[: len(text) // 2] if garbled else text)

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL or self._channel.done():
            return
        channel.on("message", self._asked.put_nowait)
        channel.on("close", self.hang_up)
        self._channel.set_result(channel)

    def _changed(self) -> None:
        if self._peer.connectionState in {"closed", "failed"}:
            self.hang_up()
