"""PURE. What can happen to a connection to Sora (events), and what its owner then has to do (commands)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from device.sora.ends import End
from device.sora.ice import IceServer

WEBSOCKET: Final = ""
"""The name of the websocket among the channels that carry signalling; data channels have their labels."""
SIGNALING: Final = "signaling"
"""The data channel that takes over after `switched`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The websocket that `Open` with this number asked for is open."""

    socket: int


@dataclass(frozen=True, slots=True)
class Received:
    """One text came over the websocket, or over the data channel of that label."""

    text: str | bytes
    channel: str = WEBSOCKET


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """The websocket of that number is closed, or could not be opened (code 0)."""

    socket: int
    code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An `Apply` was carried out; this is the answer."""

    sdp: str
    candidates: Sequence[str]
    to_re_offer: bool


@dataclass(frozen=True, slots=True)
class StatsCollected:
    """A `CollectStats` was carried out."""

    stats: list[dict[str, Any]]
    channel: str


@dataclass(frozen=True, slots=True)
class MediaUp:
    """The peer connection is connected."""


@dataclass(frozen=True, slots=True)
class MediaDown:
    """The peer connection failed, or could not be made."""

    reason: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The programme is over."""


Event = Opened | Received | SocketClosed | Answered | StatsCollected | MediaUp | MediaDown | Leave


@dataclass(frozen=True, slots=True)
class Open:
    """Close the websocket there is, if any, and open one to `url`."""

    socket: int
    url: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send one message as JSON over the websocket, or the data channel of that label; it may hold secrets."""

    message: Mapping[str, Any] = field(repr=False)
    channel: str = WEBSOCKET


@dataclass(frozen=True, slots=True)
class Apply:
    """Answer the first offer with a new peer connection."""

    sdp: str = field(repr=False)
    ice_servers: tuple[IceServer, ...]
    relay_only: bool
    audio_mid: str
    compressed: frozenset[str]
    """Labels of the data channels whose messages are zlib streams (RFC 1950)."""
    video_mid: str = ""


@dataclass(frozen=True, slots=True)
class Reapply:
    """Answer a later offer with the peer connection there is."""

    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CollectStats:
    """Collect the statistics of the peer connection for that channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close the websocket."""


@dataclass(frozen=True, slots=True)
class OnAir:
    """The programme is on air under this id."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class Over:
    """The connection is done; everything that is open may be closed."""

    end: End


Command = Open | Send | Apply | Reapply | CollectStats | CloseSocket | OnAir | Over
