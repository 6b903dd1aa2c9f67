"""The peer connection of a publisher: answers offers, sends one voice and perhaps a picture, told as events."""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from aiortc import MediaStreamTrack, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from device.errors import MediaError
from device.messages.secret import Secret
from device.rtc.peer import UNUSABLE_DESCRIPTION, new_peer, only_h264, only_opus
from device.rtc.peer import IceServer as PeerServer
from device.rtc.pictures import PictureSender
from device.rtc.sending import OpusSender
from device.sora.description import Negotiation, candidates, takes_h264
from device.sora.ice import IceServer, chosen
from device.sora.steps import Answered, Apply, Event, MediaDown, MediaUp, Reapply, Received, StatsCollected

_log = logging.getLogger(__name__)


class Media:
    """Makes the peer connection when the offer comes and keeps it until `close`.

    Args:
        programme: the voice to send; it follows the losses that the service reports.
        attempt: which way through a firewall to take (`ice.chosen`).
        post: takes the events.
        picture: sent too, if the service takes H.264; None for sound alone.
    """

    def __init__(
        self,
        programme: OpusSender,
        attempt: int,
        post: Callable[[Event], None],
        picture: PictureSender | None = None,
    ) -> None:
        self._programme, self._attempt, self._post, self._picture = programme, attempt, post, picture
        self._peer: RTCPeerConnection | None = None
        self._negotiation = Negotiation()
        self._channels: dict[str, RTCDataChannel] = {}
        self._compressed: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()

    async def apply(self, command: Apply) -> None:
        """Answer the first offer."""
        self._compressed = command.compressed
        self._negotiation = Negotiation(command.audio_mid, command.video_mid)
        try:
            peer = self._made([_as_aiortc(server) for server in chosen(command.ice_servers, self._attempt)], command)
        except MediaError as error:
            self._post(MediaDown(str(error)))
        else:
            await self._answer(peer, command.sdp, to_re_offer=False)

    async def reapply(self, command: Reapply) -> None:
        """Answer a later offer, without a break in what is sent."""
        if self._peer is not None:
            await self._answer(self._peer, command.sdp, to_re_offer=True)

    async def report(self, channel: str) -> None:
        """Post the statistics in the form of W3C webrtc-stats, for `channel`."""
        report = await self._peer.getStats() if self._peer is not None else {}
        self._post(StatsCollected([_as_told(asdict(stats)) for stats in report.values()], channel))

    def send(self, message: Mapping[str, Any], label: str) -> None:
        """Send one message over the data channel `label`, if it is open."""
        channel = self._channels.get(label)
        if channel is not None and channel.readyState == "open":
            text = json.dumps(message)
            channel.send(zlib.compress(text.encode()) if label in self._compressed else text)

    async def close(self) -> None:
        """Close the peer connection."""
        if self._peer is not None:
            self._peer.remove_all_listeners()
            await self._peer.close()

    def _made(self, servers: Sequence[PeerServer], command: Apply) -> RTCPeerConnection:
        self._peer = peer = new_peer(servers, relay_only=command.relay_only)
        peer.on("connectionstatechange", self._changed)
        peer.on("datachannel", self._opened)
        transceiver = peer.addTransceiver(self._programme.track, "sendonly")
        only_opus(transceiver)
        self._programme.attach(transceiver.sender)
        if self._picture is not None:
            self._add_picture(peer, self._picture, command.sdp)
        return peer

    def _add_picture(self, peer: RTCPeerConnection, picture: PictureSender, offer: str) -> None:
        if not takes_h264(offer):
            _log.warning("no picture: the service takes no H.264 from this robot")
            return
        transceiver = peer.addTransceiver(picture.track, "sendonly")
        only_h264(transceiver)
        picture.follow(transceiver.sender)

    async def _answer(self, peer: RTCPeerConnection, sdp: str, *, to_re_offer: bool) -> None:
        async with self._turn:
            try:
                answer = await self._negotiated(peer, sdp)
            except (OSError, *UNUSABLE_DESCRIPTION) as error:
                self._post(MediaDown(f"the offer cannot be answered: {error!r}"))
                return
        found = candidates(answer)
        if found:
            self._post(Answered(answer, found, to_re_offer))
        else:
            self._post(MediaDown("no network address, or no answer from the relay"))

    async def _negotiated(self, peer: RTCPeerConnection, sdp: str) -> str:
        offer = self._negotiation.incoming(sdp)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in peer.getTransceivers():
            if transceiver.sender.track not in self._sent():
                transceiver.direction = "inactive"
        await peer.setLocalDescription(await peer.createAnswer())
        return self._negotiation.outgoing(peer.localDescription.sdp)

    def _sent(self) -> list[MediaStreamTrack]:
        return [self._programme.track, *([self._picture.track] if self._picture else [])]

    def _changed(self) -> None:
        state = self._peer.connectionState if self._peer is not None else "closed"
        _log.debug("peer connection %s", state)
        if state == "connected":
            self._post(MediaUp())
        elif state in {"failed", "closed"}:
            self._post(MediaDown(f"peer connection {state}"))

    def _opened(self, channel: RTCDataChannel) -> None:
        self._channels[channel.label] = channel
        channel.on("message", lambda data: self._received(channel.label, data))

    def _received(self, label: str, data: str | bytes) -> None:
        if label in self._compressed and isinstance(data, bytes):
            try:
                data = zlib.decompress(data)
            except zlib.error as error:
                _log.warning("data channel %s: %s", label, error)
                return
        if not label.startswith("#"):  # those are messages between clients, not signalling
            self._post(Received(data, label))


def _as_aiortc(server: IceServer) -> PeerServer:
    return PeerServer(server.urls, server.username or None, Secret(server.credential) if server.credential else None)


def _as_told(stats: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in stats.items() if value is not None}
    return told | {"timestamp": stats["timestamp"].timestamp() * 1000.0}
