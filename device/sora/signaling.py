"""PURE. Sora signalling of a connection that only sends: events in, commands out, time as an argument.

    OPENING ─opened─► ASKED ─offer─► RISING ─own connection.created and media connected─► ON_AIR
       ▲                │               │                                                   │
       └───redirect─────┘               └──────────────── any end ─────────────────► LEAVING / OVER

The shell (`publisher.py`) carries every command out and reports back with an event; it calls `wake` when `deadline`
has passed. Nothing is resumed: after `Over` the connection is done, and a new one starts with a new `connect`.
Protocol: the public Sora SDKs, and sora-doc.shiguredo.jp/SIGNALING.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any

from device.errors import MalformedMessageError
from device.messages.minting import BroadcastGrant
from device.sora.ends import Cause, End, closed
from device.sora.ice import IceServer
from device.sora.messages import (
    Close,
    Notify,
    Offer,
    Ping,
    Redirect,
    ReOffer,
    ServerMessage,
    StatsRequest,
    Switched,
    decode,
)
from device.sora.settings import BroadcastSettings
from device.sora.steps import (
    SIGNALING,
    WEBSOCKET,
    Answered,
    Apply,
    CloseSocket,
    CollectStats,
    Command,
    Event,
    Leave,
    MediaDown,
    MediaUp,
    OnAir,
    Open,
    Opened,
    Over,
    Reapply,
    Received,
    Send,
    SocketClosed,
    StatsCollected,
)


def connect_message(
    grant: BroadcastGrant, settings: BroadcastSettings, *, client: str, environment: str, picture: bool = False
) -> dict[str, Any]:
    """Return the first message of a publisher; `metadata` may hold an access token, so log it never.

    Args:
        grant: the channel, and what its operator wants to be told (`metadata`).
        settings: the bit rates, sent in kbit/s.
        client: name and version of this program.
        environment: what it runs on.
        picture: whether there is one.
    """
    wished: dict[str, Any] = {
        "type": "connect",
        "role": "sendonly",
        "channel_id": grant.channel_id,
        "audio": {"codec_type": "OPUS", "bit_rate": settings.bit_rate // 1000},
        "video": _wished_video(settings) if picture else False,
        "sora_client": client,
        "environment": environment,
    }
    return wished if grant.metadata is None else wished | {"metadata": grant.metadata}


def _wished_video(settings: BroadcastSettings) -> dict[str, Any]:
    return {"codec_type": "H264", "bit_rate": settings.picture_bit_rate // 1000}


class Phase(Enum):
    """How far a connection has come."""

    OPENING = auto()
    ASKED = auto()
    RISING = auto()
    ON_AIR = auto()
    LEAVING = auto()
    OVER = auto()


class Signaling:
    """One connection, from its first websocket to its end.

    Args:
        connect: the `connect` message; `redirect` is added to it after a redirect.
        urls: signalling addresses, tried in order until one opens; at least one.
        settings: time limits, and how many redirects to follow.
    """

    def __init__(self, connect: Mapping[str, Any], urls: Sequence[str], settings: BroadcastSettings) -> None:
        self._connect, self._settings = dict(connect), settings
        self._urls = list(urls)
        self._redirects = self._socket = 0
        self._connection_id = ""
        self._created = self._media = False
        self._channel = WEBSOCKET
        self._socket_needed = True
        self.phase = Phase.OPENING
        self.deadline: float | None = None
        """When to call `wake`; None when there is nothing to wait for."""

    def start(self, now: float) -> list[Command]:
        """Return the first commands."""
        return self._open_next(now)

    def handle(self, event: Event, now: float) -> list[Command]:  # noqa: PLR0911 - one return for each event
        """Return what to do about `event`; after the end, nothing."""
        if self.phase is Phase.OVER:
            return []
        match event:
            case Opened(socket):
                return self._opened(socket, now)
            case Received(text, channel):
                return self._received(text, channel, now)
            case SocketClosed(socket, code, reason):
                return self._socket_closed(socket, code, reason, now)
            case Answered():
                return self._answered(event)
            case StatsCollected(stats, channel):
                return [self._stats(stats, channel)]
            case MediaUp():
                self._media = True
                return self._maybe_on_air()
            case MediaDown(reason):
                return self._media_down(reason)
            case Leave():
                return self._leave(now)

    def wake(self, now: float) -> list[Command]:
        """Return what to do because time has passed; nothing before the deadline."""
        if self.deadline is None or now < self.deadline:
            return []
        match self.phase:
            case Phase.OPENING:
                return self._open_next(now, "no websocket in time")
            case Phase.ASKED:
                return self._over(End(Cause.UNREACHABLE, 0, "no offer in time"))
            case Phase.RISING if self._media:
                return self._over(End(Cause.UNREACHABLE, 0, "no connection.created in time"), goodbye="INTERNAL-ERROR")
            case Phase.RISING:
                return self._media_down("not connected in time")
            case _:
                return self._over(End(Cause.LEFT))

    def _open_next(self, now: float, why: str = "") -> list[Command]:
        if not self._urls:
            return self._over(End(Cause.UNREACHABLE, 0, why))
        self._socket += 1
        self._enter(Phase.OPENING, now + self._settings.open_seconds)
        return [Open(self._socket, self._urls.pop(0))]

    def _opened(self, socket: int, now: float) -> list[Command]:
        if socket != self._socket or self.phase is not Phase.OPENING:
            return []
        self._enter(Phase.ASKED, now + self._settings.offer_seconds)
        return [Send(self._connect)]

    def _received(self, text: str | bytes, channel: str, now: float) -> list[Command]:
        try:
            message = decode(text)
        except MalformedMessageError as error:
            return self._over(End(Cause.LOST, 0, str(error)), goodbye="INTERNAL-ERROR")
        return [] if message is None else self._told(message, channel, now)

    def _told(self, message: ServerMessage, channel: str, now: float) -> list[Command]:  # noqa: PLR0911 - likewise
        match message:
            case Redirect(location) if self.phase is Phase.ASKED:
                return self._redirected(location, now)
            case Offer() if self.phase is Phase.ASKED:
                return self._offered(message, now)
            case ReOffer(sdp) if self.phase in {Phase.RISING, Phase.ON_AIR}:
                return [Reapply(sdp)]
            case Ping(stats):
                return [CollectStats(channel)] if stats and self._media else [Send({"type": "pong"}, channel)]
            case StatsRequest():
                return [CollectStats(channel)]
            case Notify("connection.created", name) if name == self._connection_id:
                self._created = True
                return self._maybe_on_air()
            case Switched(ignore_disconnect_websocket):
                return self._switched(socket_needed=not ignore_disconnect_websocket)
            case Close(code, reason):
                return self._ended(code, reason)
            case _:
                return []

    def _redirected(self, location: str, now: float) -> list[Command]:
        self._redirects += 1
        if self._redirects > self._settings.redirects:
            return self._over(End(Cause.UNREACHABLE, 0, f"redirected more than {self._settings.redirects} times"))
        self._connect["redirect"] = True
        self._urls = [location]
        return self._open_next(now)

    def _offered(self, offer: Offer, now: float) -> list[Command]:
        self._connection_id = offer.connection_id
        self._enter(Phase.RISING, now + self._settings.media_seconds)
        raw = offer.config.ice_servers
        return [
            Apply(
                offer.sdp,
                tuple(IceServer(tuple(server.urls), server.username, server.credential) for server in raw),
                relay_only=offer.config.ice_transport_policy == "relay",
                audio_mid=offer.mid.get("audio", ""),
                video_mid=offer.mid.get("video", ""),
                compressed=frozenset(channel.label for channel in offer.data_channels if channel.compress),
            )
        ]

    def _answered(self, answer: Answered) -> list[Command]:
        kind = "re-answer" if answer.to_re_offer else "answer"
        found = [] if answer.to_re_offer else answer.candidates
        return [
            Send({"type": kind, "sdp": answer.sdp}, self._channel),
            *(Send({"type": "candidate", "candidate": line}, self._channel) for line in found),
        ]

    def _stats(self, stats: list[dict[str, Any]], channel: str) -> Send:
        if channel == "stats":
            return Send({"type": "stats", "reports": stats}, channel)
        return Send({"type": "pong", "stats": stats}, channel)

    def _maybe_on_air(self) -> list[Command]:
        if self.phase is not Phase.RISING or not (self._created and self._media):
            return []
        self._enter(Phase.ON_AIR, None)
        return [OnAir(self._connection_id)]

    def _switched(self, *, socket_needed: bool) -> list[Command]:
        self._channel = SIGNALING
        self._socket_needed = socket_needed
        return [] if socket_needed else [CloseSocket()]

    def _socket_closed(self, socket: int, code: int, reason: str, now: float) -> list[Command]:
        if socket != self._socket or not self._socket_needed:
            return []
        if self.phase is Phase.OPENING:
            return self._open_next(now, reason)
        return self._ended(code, reason)

    def _ended(self, code: int, reason: str) -> list[Command]:
        if self.phase is Phase.LEAVING:
            return self._over(End(Cause.LEFT, code, reason))
        return self._over(closed(code, reason, on_air=self.phase is Phase.ON_AIR))

    def _media_down(self, reason: str) -> list[Command]:
        if self.phase is Phase.LEAVING:
            return [] if self._socket_needed else self._over(End(Cause.LEFT))
        return self._over(End(Cause.MEDIA, 0, reason), goodbye="CONNECTION-STATE-FAILED")

    def _leave(self, now: float) -> list[Command]:
        if self.phase is Phase.OPENING:
            return self._over(End(Cause.LEFT))
        if self.phase is Phase.LEAVING:
            return []
        self._enter(Phase.LEAVING, now + self._settings.leave_seconds)
        return [self._goodbye("NO-ERROR")]

    def _goodbye(self, reason: str) -> Send:
        return Send({"type": "disconnect", "reason": reason}, self._channel)

    def _over(self, end: End, *, goodbye: str = "") -> list[Command]:
        self._enter(Phase.OVER, None)
        return [*([self._goodbye(goodbye)] if goodbye else []), CloseSocket(), Over(end)]

    def _enter(self, phase: Phase, deadline: float | None) -> None:
        self.phase, self.deadline = phase, deadline
