"""PURE. The bodies of the ImageFlux API's requests, checked against the documented ranges, in the service's spelling."""
# ruff: noqa: N815 - the service's own spelling

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec

Pixels = Annotated[int, msgspec.Meta(ge=36, le=4096)]
Link = Annotated[str, msgspec.Meta(pattern="^(https?://.*)?$")]


class VideoRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`hls[].video`: the picture asked for."""

    width: Pixels
    height: Pixels
    fps: Annotated[int, msgspec.Meta(ge=1)]
    bps: Annotated[int, msgspec.Meta(ge=1)]
    codec: Literal["h264_high", "h264_main", "h264_baseline"] = "h264_high"


class AudioRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`hls[].audio`: any bit rate is taken, and floored to the table of the documentation."""

    bps: int = 96_000


class ArchiveRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`hls[].archive`: accepted only as the documented no-archive, an empty id."""

    archive_destination_id: Literal[""] = ""


class HlsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """One element of `hls`."""

    durationSeconds: Annotated[int, msgspec.Meta(ge=1)] = 1
    startTimeOffset: float = -2.0
    video: VideoRequest | None = None
    audio: AudioRequest = msgspec.field(default_factory=AudioRequest)
    archive: ArchiveRequest = msgspec.field(default_factory=ArchiveRequest)


class CreateRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`CreateMultistreamChannel`."""

    auth_webhook_url: Link = ""
    event_webhook_url: Link = ""
    environment: int | None = None


class CreateWithHlsRequest(CreateRequest, forbid_unknown_fields=True, kw_only=True):
    """`CreateMultistreamChannelWithHLS`."""

    hls: Annotated[list[HlsRequest], msgspec.Meta(min_length=1, max_length=8)]
    encrypt_key_uri: Link = ""


class ChannelRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`ListPlaylistURLs` and `DeleteChannel`."""

    channel_id: str


class KeyRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`GetEncryptKey`."""

    kid: str


class ConnectionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`DisconnectConnection`, one of Sora's own calls."""

    channel_id: str
    connection_id: str


class PushRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`PushChannel`, one of Sora's own calls: data for everybody in the channel."""

    channel_id: str
    data: msgspec.Raw


class NoRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The empty object of `ListChannelIDs`."""


R = TypeVar("R")


def decode(body: bytes, kind: type[R]) -> R:
    """Return the request in `body`; an empty body counts as an empty object.

    Raises:
        msgspec.DecodeError: not JSON, or out of a documented range (`msgspec.ValidationError`).
    """
    return msgspec.json.decode(body or b"{}", type=kind)
