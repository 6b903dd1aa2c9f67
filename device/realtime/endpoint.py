"""Our end of one call: both voices, the peer connection and the data channel, from the offer to the end.

It can be made before there is a grant, so that the request for one carries its offer.
"""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property
from types import TracebackType
from typing import Final, Self

from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from device.errors import MediaError, UpstreamError
from device.messages.offers import without_passwords
from device.realtime.offer import SERVICE, Answer
from device.realtime.settings import RealtimeSettings
from device.rtc.peer import UNUSABLE_DESCRIPTION, new_peer
from device.rtc.receiving import VoiceReceiver
from device.rtc.sending import OpusSender

CHANNEL: Final = "oai-events"

_log = logging.getLogger(__name__)


class Endpoint:
    """Owner of what our end of one call is made of: `async with Endpoint(settings) as endpoint:`, or `close` it."""

    def __init__(self, settings: RealtimeSettings) -> None:
        self.peer: RTCPeerConnection | None = None
        self.channel: RTCDataChannel | None = None
        """Both are there once there is an offer."""
        self._settings = settings
        self._closing: asyncio.Task[None] | None = None

    @cached_property
    def uplink(self) -> OpusSender:
        """Takes what the microphone hears."""
        return OpusSender(self._settings.opus)

    @cached_property
    def downlink(self) -> VoiceReceiver:
        """Gives what the assistant says."""
        return VoiceReceiver()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ahead(self) -> str:
        """Return the offer that a request for a grant carries; empty where the robot opens its calls itself.

        Raises:
            MediaError: as `offer`.
        """
        return await self.offer() if self._settings.exchange == "cloud" else ""

    async def offer(self) -> str:
        """Return the offer, with all its candidates; always the same one.

        Raises:
            MediaError: no connection can be made here.
        """
        try:
            peer = self.peer or await self._make()
        except OSError as error:
            raise MediaError(f"media: no connection can be offered: {error}") from error
        return peer.localDescription.sdp

    async def _make(self) -> RTCPeerConnection:
        self.peer = peer = new_peer(())
        # aiortc offers Opus first and other codecs after it; this very offer is known to be accepted.
        transceiver = peer.addTransceiver(self.uplink.track, direction="sendrecv")
        self.downlink.attach(transceiver.receiver)
        self.uplink.attach(transceiver.sender)
        self.channel = peer.createDataChannel(CHANNEL)
        await peer.setLocalDescription(await peer.createOffer())
        return peer

    async def accept(self, answer: Answer) -> None:
        """Connect by the answer to the offer.

        Raises:
            UpstreamError: it makes no sense.
            MediaError: nothing has been offered.
        """
        if self.peer is None:
            raise MediaError("media: an answer before there was an offer")
        try:
            await self.peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        except UNUSABLE_DESCRIPTION as error:
            text = f"the SDP answer cannot be used: {without_passwords(str(error)) or type(error).__name__}"
            raise UpstreamError(SERVICE, 201, "invalid_answer", text) from error

    async def close(self) -> None:
        """Release everything, once; what is begun here goes on to its end even when the waiting for it is cancelled."""
        if self.peer is None or self._closing is not None:
            return
        self.uplink.track.stop()
        self._closing = asyncio.create_task(self.peer.close(), name="hang up")
        _, unfinished = await asyncio.wait({self._closing}, timeout=self._settings.close_seconds)
        if unfinished:
            _log.warning("a call did not close within %g s", self._settings.close_seconds)
            self._closing.cancel()
        elif error := self._closing.exception():
            _log.warning("a call did not close well: %r", error)
