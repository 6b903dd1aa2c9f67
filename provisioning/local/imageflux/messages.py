"""PURE. What Sora clients may send, decoded strictly: an unknown key or type is a mistake of the client.

Keys from the types of the public SDKs (sora-js-sdk src/types.ts, sora-cpp-sdk, sora-android-sdk Catalog.kt).
"""

from __future__ import annotations

import re
import zlib
from typing import Annotated, Any, Final, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class OpusParams(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Wishes for the fmtp line of the offer."""

    channels: int | None = None
    maxplaybackrate: int | None = None
    minptime: int | None = None
    ptime: int | None = None
    stereo: bool | None = None
    sprop_stereo: bool | None = None
    useinbandfec: bool | None = None
    usedtx: bool | None = None


class AudioWish(msgspec.Struct, forbid_unknown_fields=True):
    """`connect.audio` when it is more than true or false."""

    codec_type: Literal["OPUS"] = "OPUS"
    bit_rate: Annotated[int, msgspec.Meta(ge=6, le=510)] | None = None
    """kbit/s; the range of Opus (RFC 6716 section 2.1.1)."""
    opus_params: OpusParams | None = None


class VideoWish(msgspec.Struct, forbid_unknown_fields=True):
    """`connect.video` when it is more than true or false."""

    codec_type: Literal["VP8", "VP9", "AV1", "H264", "H265"] = "VP9"
    bit_rate: Annotated[int, msgspec.Meta(ge=1)] | None = None
    vp9_params: dict[str, Any] | None = None
    av1_params: dict[str, Any] | None = None
    h264_params: dict[str, Any] | None = None
    h265_params: dict[str, Any] | None = None


class HeaderWish(msgspec.Struct, forbid_unknown_fields=True):
    """What is to stand before each message; there is one kind."""

    type: Literal["sender_connection_id"]


class DataChannelWish(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One of `connect.data_channels`: messages between clients."""

    label: Annotated[str, msgspec.Meta(pattern="^#.", max_length=32)]
    direction: Literal["sendonly", "recvonly", "sendrecv"]
    ordered: bool | None = None
    compress: bool = False
    max_packet_life_time: Annotated[int, msgspec.Meta(ge=0)] | None = None
    max_retransmits: Annotated[int, msgspec.Meta(ge=0)] | None = None
    protocol: str | None = None
    header: list[HeaderWish] = []

    def described(self) -> dict[str, Any]:
        """Return it as an offer tells it; native clients demand `compress`."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told | {"compress": self.compress}

    def options(self) -> dict[str, Any]:
        """Return what the channel is created with."""
        wished = {
            "ordered": self.ordered,
            "maxPacketLifeTime": self.max_packet_life_time,
            "maxRetransmits": self.max_retransmits,
            "protocol": self.protocol,
        }
        return {name: value for name, value in wished.items() if value is not None}

    def packed(self, data: bytes) -> bytes:
        """Return `data` as it goes over this channel."""
        return zlib.compress(data) if self.compress else data

    def unpacked(self, data: bytes) -> bytes:
        """Return what came over this channel; raises zlib.error when it is not compressed but should be."""
        return zlib.decompress(data) if self.compress else data


class Connect(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="connect"):
    """The first message of a client."""

    role: Literal["sendonly", "recvonly", "sendrecv"]
    channel_id: Name
    client_id: Name | None = None
    bundle_id: Name | None = None
    metadata: Any = None
    signaling_notify_metadata: Any = None
    audio: bool | AudioWish = True
    video: bool | VideoWish = True
    sdp: str | None = None
    sora_client: str | None = None
    libwebrtc: str | None = None
    environment: str | None = None
    multistream: bool | None = None
    simulcast: bool | None = None
    simulcast_rid: str | None = None
    simulcast_request_rid: str | None = None
    simulcast_multicodec: bool | None = None
    spotlight: bool | None = None
    spotlight_number: int | None = None
    spotlight_focus_rid: str | None = None
    spotlight_unfocus_rid: str | None = None
    data_channel_signaling: bool | None = None
    ignore_disconnect_websocket: bool | None = None
    data_channels: list[DataChannelWish] | None = None
    audio_streaming_language_code: str | None = None
    forwarding_filters: list[dict[str, Any]] | None = None
    forwarding_filter: dict[str, Any] | None = None
    redirect: bool | None = None

    @property
    def sends(self) -> bool:
        """True when this client publishes."""
        return self.role != "recvonly"

    @property
    def receives(self) -> bool:
        """True when this client is sent what others publish."""
        return self.role != "sendonly"

    @property
    def opus_params(self) -> OpusParams:
        """The wishes for Opus; all unset when none were sent."""
        return (self.audio.opus_params if isinstance(self.audio, AudioWish) else None) or OpusParams()


class Answer(msgspec.Struct, tag_field="type", tag="answer"):
    """The client's side of the first offer."""

    sdp: str


class ReAnswer(msgspec.Struct, tag_field="type", tag="re-answer"):
    """The client's side of a later offer."""

    sdp: str


class Candidate(msgspec.Struct, tag_field="type", tag="candidate"):
    """One ICE candidate of the client; native clients send no more than the line."""

    candidate: str
    sdpMid: str | None = None  # noqa: N815 - Sora's own spelling
    sdpMLineIndex: int | None = None  # noqa: N815 - Sora's own spelling


class Pong(msgspec.Struct, tag_field="type", tag="pong"):
    """The answer to a ping, with statistics when those were asked for."""

    stats: list[dict[str, Any]] | None = None


class Disconnect(msgspec.Struct, tag_field="type", tag="disconnect"):
    """The client leaves."""

    reason: str = ""


class Stats(msgspec.Struct, tag_field="type", tag="stats"):
    """The answer to `req-stats`, over the data channel of that name."""

    reports: list[dict[str, Any]]


ClientMessage = Connect | Answer | ReAnswer | Candidate | Pong | Disconnect | Stats

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


_NO_NUMBER: Final = re.compile(rb"(?<=[:,\[])-?(?:inf|nan)(?=[,\]}])")
"""What sora_sdk writes into its statistics where there is no number."""


def decode(text: str | bytes) -> ClientMessage:
    """Return the message that `text` holds; numbers that are none are null.

    Raises:
        msgspec.DecodeError: not JSON, or not a message a client may send (`msgspec.ValidationError`).
    """
    raw = text.encode() if isinstance(text, str) else text
    return _decoder.decode(_NO_NUMBER.sub(b"null", raw))
