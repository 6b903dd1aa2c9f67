"""The peer connection of one client of the stand-in: what it publishes, and what is forwarded to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.clock import current_ntp_time
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp

from provisioning.local.closing import close_wholly
from provisioning.local.imageflux.data_channels import DataChannels
from provisioning.local.imageflux.description import with_opus_parameters
from provisioning.local.imageflux.media import Outlet, Publication, Tap, tap
from provisioning.local.imageflux.messages import Connect, VideoWish

OPUS: Final = "audio/opus"
FORWARDED_VIDEO: Final = ("video/VP8", "video/H264")
"""The only video codecs that aiortc has; a wish for another one cannot be met."""

_SDP_ERRORS: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    InvalidStateError,
    OperationError,
)
"""What aiortc raises for a text that is not what it should be."""


class AnswerError(ValueError):
    """What a client sent does not fit what it was offered."""


def supported(connect: Connect) -> bool:
    """Tell whether the codecs that `connect` insists on can be offered."""
    return not isinstance(connect.video, VideoWish) or f"video/{connect.video.codec_type}" in FORWARDED_VIDEO


def _codecs(kind: str, names: Iterable[str]) -> list[RTCRtpCodecCapability]:
    wanted = {name.lower() for name in (*names, f"{kind}/rtx")}
    return [codec for codec in RTCRtpSender.getCapabilities(kind).codecs if codec.mimeType.lower() in wanted]


@dataclass(slots=True)
class Downlink:
    """A media section that forwards one publication, or waits for one."""

    transceiver: RTCRtpTransceiver
    outlet: Outlet
    publication: Publication | None = None

    def serve(self, publication: Publication | None) -> None:
        """Forward `publication` from the next answer on, or nothing."""
        if self.publication:
            self.publication.listeners.discard(self.outlet.push)
        self.publication = publication
        self.transceiver.direction = "sendonly" if publication else "inactive"
        if publication:
            # Browsers tell publishers apart by the stream id; aiortc has no public way to set it.
            self.transceiver.sender._stream_id = publication.connection_id  # noqa: SLF001
            self.transceiver.setCodecPreferences(_codecs(publication.kind, [publication.codec]))

    def start(self) -> None:
        """Let the frames flow, from now and not from before."""
        if self.publication and self.outlet.push not in self.publication.listeners:
            self.outlet.restart()
            self.publication.begin(self.outlet.push)


class Peer:
    """One client's media; the stand-in always offers, the client answers.

    `connected` and `lost` are set once each, when the peer connection comes up and when it is gone. `told` and `said` take
    what comes over its data channels: signalling, and messages to others by their label.
    """

    def __init__(
        self,
        connect: Connect,
        connection_id: str,
        told: Callable[[bytes], None],
        said: Callable[[str, bytes], None],
    ) -> None:
        self.connected, self.lost = asyncio.Event(), asyncio.Event()
        self._connect = connect
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connection.on("connectionstatechange", self._changed)
        self._uplinks: list[tuple[RTCRtpTransceiver, Publication, Tap]] = []
        self._downlinks: list[Downlink] = []
        if connect.sends:
            self._take_up(connection_id)
        self.data_channels = DataChannels(connect, told, said)
        """Empty for a client that wants none."""

    @property
    def publications(self) -> tuple[Publication, ...]:
        """What this client publishes."""
        return tuple(publication for _, publication, _ in self._uplinks)

    def behind(self, published: Iterable[Publication]) -> bool:
        """Tell whether what is forwarded differs from what the others publish, so that a new offer is due."""
        served = {downlink.publication for downlink in self._downlinks if downlink.publication}
        return served != set(self._wanted(published))

    async def offer(self, published: Iterable[Publication]) -> str:
        """Arrange to forward all that is `published`, and return the offer for it."""
        wanted = self._wanted(published)
        for downlink in self._downlinks:
            if downlink.publication and downlink.publication not in wanted:
                downlink.serve(None)
        served = [downlink.publication for downlink in self._downlinks]
        for publication in wanted:
            if publication not in served:
                self._idle(publication.kind).serve(publication)
        if not self._connection.getTransceivers():
            self._idle("audio").serve(None)  # aiortc cannot offer nothing
        self.data_channels.create(self._connection)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return with_opus_parameters(self._connection.localDescription.sdp, self._connect.opus_params)

    async def accept(self, sdp: str) -> None:
        """Apply the client's answer.

        Raises:
            AnswerError: it is no answer to the last offer.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        except _SDP_ERRORS as error:
            raise AnswerError(f"not an answer: {error!r}") from None
        for transceiver, publication, _ in self._uplinks:
            publication.codec = transceiver._codecs[0].mimeType  # noqa: SLF001 - no public way to the agreed codec

    def forward(self) -> None:
        """Let frames flow to this client; to be called when it has answered and is connected."""
        for downlink in self._downlinks:
            downlink.start()

    async def add_candidate(self, line: str, mid: str | None, index: int | None) -> None:
        """Take one more ICE candidate of the client; an empty line means that there are no more.

        Raises:
            AnswerError: it is no candidate.
        """
        text = line.removeprefix("a=").removeprefix("candidate:")
        if not text:
            return
        try:
            candidate = candidate_from_sdp(text)
            candidate.sdpMid, candidate.sdpMLineIndex = mid, 0 if mid is None and index is None else index
            await self._connection.addIceCandidate(candidate)
        except _SDP_ERRORS as error:
            raise AnswerError(f"not a candidate: {error!r}") from None

    async def ask_key_frames(self) -> None:
        """Ask this client for a key frame whenever somebody begins to look; until cancelled."""
        picture = next((uplink for uplink in self._uplinks if uplink[1].kind == "video"), None)
        while picture:
            transceiver, publication, taken = picture
            await publication.key_frame_wanted.wait()
            publication.key_frame_wanted.clear()
            if taken.ssrc is not None:
                await transceiver.receiver._send_rtcp_pli(taken.ssrc)  # noqa: SLF001 - there is no public way

    async def close(self) -> None:
        """Stop forwarding and close the peer connection."""
        for downlink in self._downlinks:
            downlink.serve(None)
        await close_wholly(self._connection)

    def _take_up(self, connection_id: str) -> None:
        for kind, names in (("audio", [OPUS]), ("video", self._video_names())):
            if getattr(self._connect, kind):
                transceiver = self._connection.addTransceiver(kind, "recvonly")
                transceiver.setCodecPreferences(_codecs(kind, names))
                publication = Publication(kind, connection_id, names[0])
                taken = tap(transceiver.receiver, kind, publication.deliver)
                self._uplinks.append((transceiver, publication, taken))

    def _video_names(self) -> list[str]:
        wish = self._connect.video
        return [f"video/{wish.codec_type}"] if isinstance(wish, VideoWish) else list(FORWARDED_VIDEO)

    def _wanted(self, published: Iterable[Publication]) -> list[Publication]:
        if not self._connect.receives:
            return []
        return [publication for publication in published if getattr(self._connect, publication.kind)]

    def _idle(self, kind: str) -> Downlink:
        for downlink in self._downlinks:
            if downlink.outlet.kind == kind and downlink.publication is None:
                return downlink
        outlet = Outlet(kind)
        made = Downlink(self._connection.addTransceiver(outlet, "inactive"), outlet)
        # aiortc tells the time of the last packet, before the first one as 0, which sora_sdk takes for minus infinity.
        made.transceiver.sender._RTCRtpSender__ntp_timestamp = current_ntp_time()  # type: ignore[attr-defined]  # noqa: SLF001
        if kind == "audio":
            made.transceiver.setCodecPreferences(_codecs(kind, [OPUS]))
        self._downlinks.append(made)
        return made

    def _changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self.connected.set()
        elif state in {"failed", "closed"}:
            self.lost.set()
