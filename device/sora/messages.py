"""PURE. What Sora sends to a publisher; fields that are not listed are ignored, so that newer servers are understood.

Fields from the types of the public SDKs (sora-js-sdk, sora-cpp-sdk, sora-android-sdk Catalog.kt, sora-ios-sdk).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from device.errors import MalformedMessageError


class ServerMessage(msgspec.Struct, tag_field="type", frozen=True):
    """Base of all messages; told apart by `type`."""


class RawIceServer(msgspec.Struct, frozen=True):
    """One entry of `config.iceServers`."""

    urls: list[str]
    username: str = ""
    credential: str = ""

    def __repr__(self) -> str:
        return f"RawIceServer(urls={self.urls!r})"


class Config(msgspec.Struct, frozen=True, rename="camel"):
    """`offer.config`, what browsers take as the configuration of a peer connection."""

    ice_servers: list[RawIceServer] = []
    ice_transport_policy: str = "all"


class DataChannel(msgspec.Struct, frozen=True):
    """One entry of `offer.data_channels`; the server creates it."""

    label: str
    compress: bool = False


class Offer(ServerMessage, tag="offer", frozen=True):
    """The first offer: the name of this connection, and how to reach the server."""

    sdp: str
    connection_id: str
    config: Config = Config()
    mid: dict[str, str] = {}
    data_channels: list[DataChannel] = []


class ReOffer(ServerMessage, tag="re-offer", frozen=True):
    """A later offer on the same connection."""

    sdp: str


class Redirect(ServerMessage, tag="redirect", frozen=True):
    """Another node of the cluster serves this channel."""

    location: str


class Ping(ServerMessage, tag="ping", frozen=True):
    """Must be answered; with statistics when asked for."""

    stats: bool = False


class StatsRequest(ServerMessage, tag="req-stats", frozen=True):
    """The same question on the data channel `stats`."""


class Notify(ServerMessage, tag="notify", frozen=True):
    """Something happened in the channel."""

    event_type: str = ""
    connection_id: str = ""


class Push(ServerMessage, tag="push", frozen=True):
    """Data from somebody who may call the server's API."""

    data: Any = None


class Switched(ServerMessage, tag="switched", frozen=True):
    """Signalling goes over data channels from here on."""

    ignore_disconnect_websocket: bool = False


class Close(ServerMessage, tag="close", frozen=True):
    """The end, said on a data channel."""

    code: int = 0
    reason: str = ""


_KINDS: Final[dict[str, type[ServerMessage]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (Offer, ReOffer, Redirect, Ping, StatsRequest, Notify, Push, Switched, Close)
}


class _Typed(msgspec.Struct, frozen=True):
    type: str


def decode(text: str | bytes) -> ServerMessage | None:
    """Return the message in `text`, None when its type is unknown.

    Raises:
        MalformedMessageError: not a JSON object with a `type`, or a known type without what it must have; the text
            names the field, never its value.
    """
    try:
        kind = _KINDS.get(msgspec.json.decode(text, type=_Typed).type)
        return None if kind is None else msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(f"not a Sora message: {error}") from None
