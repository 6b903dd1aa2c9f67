"""One Sora client of the stand-in: the signalling protocol around its peer connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from aiohttp import WSMsgType, web

from provisioning.local.imageflux.broadcast import Broadcast
from provisioning.local.imageflux.channels import Card, Channel
from provisioning.local.imageflux.lifetime import lifetime_in
from provisioning.local.imageflux.media import Publication
from provisioning.local.imageflux.messages import Answer, Candidate, Connect, Disconnect, Pong, ReAnswer, Stats, decode
from provisioning.local.imageflux.offers import offer
from provisioning.local.imageflux.peer import AnswerError, Peer
from provisioning.local.imageflux.settings import StandInSettings

NORMAL: Final = 1000
MALFORMED: Final = 4400
REFUSED: Final = 4403
UNKNOWN_CHANNEL: Final = 4404
TIMED_OUT: Final = 4408
MEDIA_LOST: Final = 4410
"""Close codes over 4000 are ours: the real service's are documented nowhere, only that they exist."""

RE_ANSWER_SECONDS: Final = 10.0
LEFT: Final = "TYPE-DISCONNECT"
"""Close reason of Sora for a client that has said goodbye."""
MOST_WAITING: Final = 100
"""Messages from data channels that may wait to be obeyed."""


class Refusal(Exception):  # noqa: N818 - it is an answer to the client, not a mistake of ours
    """The client is sent away with a close code and a reason of at most 123 bytes (RFC 6455 section 5.5)."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(f"{code} {reason}")


def timestamp() -> str:
    """Return this moment as notifications and webhooks write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Connection:
    """A client that was let in, until it leaves, fails or is sent away; a `Member` of its channel.

    Args:
        socket: prepared; owned by the caller, closed by the connection.
        connect: the client's first message.
        card: its name in notifications.
        channel: where it will be a member once its media is connected.
        settings: ping interval, time-outs, ICE servers.
        broadcast: writes the playlists of what it publishes; None when the channel has none.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        connect: Connect,
        card: Card,
        channel: Channel,
        settings: StandInSettings,
        broadcast: Broadcast | None,
    ) -> None:
        self._socket, self._connect, self._card, self._channel = socket, connect, card, channel
        self._settings, self._broadcast = settings, broadcast
        self._peer = Peer(connect, card.connection_id, self._heard, self._said)
        self._switched = False
        self._outbox: asyncio.Queue[dict[str, Any] | Refusal] = asyncio.Queue()
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._refreshed, self._answered, self._ponged = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @property
    def card(self) -> Card:
        """Who it is."""
        return self._card

    @property
    def publications(self) -> tuple[Publication, ...]:
        """What it publishes."""
        return self._peer.publications

    def tell(self, message: dict[str, Any]) -> None:
        """Send one signalling message, in order."""
        self._outbox.put_nowait(message)

    def hear(self, label: str, data: bytes, sender: str) -> None:
        """Hand on a message of another member, if this one listens on that label."""
        self._peer.data_channels.forward(label, data, sender)

    def refresh(self) -> None:
        """Look again at what is published in the channel."""
        self._refreshed.set()

    def kick(self, reason: str) -> None:
        """Disconnect with code 1000 and `reason`."""
        self._outbox.put_nowait(Refusal(NORMAL, reason))

    def abort(self) -> None:
        """Cut the signalling connection without a close frame."""
        transport = self._socket._req and self._socket._req.transport  # noqa: SLF001 - no public way to be this rude
        if transport:
            transport.abort()

    async def run(self) -> None:
        """Serve the client to its end."""
        try:
            await self._serve()
        except* Refusal as refusals:
            await self._dismiss(refusals)
        finally:
            self._channel.leave(self, timestamp())
            await self._peer.close()

    async def _dismiss(self, refusals: BaseExceptionGroup[Refusal]) -> None:
        first: BaseException = refusals
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        if isinstance(first, Refusal):
            await self._say_goodbye(first)

    async def _say_goodbye(self, why: Refusal) -> None:
        """Close with code and reason: the websocket, or, where the client has left that, the data channels."""
        if self._switched and self._socket.closed and why.reason != LEFT:
            self._peer.data_channels.tell({"type": "close", "code": why.code, "reason": why.reason})
        await self._socket.close(code=why.code, message=why.reason.encode()[:123])
        await self._peer.data_channels.close()

    async def _serve(self) -> None:
        sdp, data_channels = await self._peer.offer(self._channel.published(self)), self._peer.data_channels
        card, described = self._card, data_channels.described()
        self.tell(offer(sdp, self._channel.channel_id, card, self._connect, self._settings, described))
        async with asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(each()) for each in (self._send, self._watch, self._live, self._obey)]
            await self._listen()
            if self._switched and self._connect.ignore_disconnect_websocket:
                await asyncio.Event().wait()  # until one of the helpers sends it away
            for helper in helpers:
                helper.cancel()

    async def _send(self) -> None:
        while True:
            message = await self._outbox.get()
            if isinstance(message, Refusal):
                raise message
            if self._switched:
                self._peer.data_channels.tell(message)
            else:
                await self._send_over_socket(message)

    async def _send_over_socket(self, message: dict[str, Any]) -> None:
        with suppress(ConnectionError):  # when the socket is gone, the listener knows it
            await self._socket.send_json(message)

    async def _watch(self) -> None:
        await self._peer.lost.wait()
        raise Refusal(MEDIA_LOST, "PEER-CONNECTION-LOST")

    async def _listen(self) -> None:
        async for frame in self._socket:
            if frame.type is not WSMsgType.TEXT:
                raise Refusal(MALFORMED, "NOT-TEXT")
            try:
                await self._take(frame.data)
            except (msgspec.DecodeError, AnswerError) as error:
                raise Refusal(MALFORMED, f"INVALID-MESSAGE: {error}") from None

    def _heard(self, text: bytes) -> None:
        """Take one signalling message from a data channel; what follows of it happens in `_obey`."""
        if self._inbox.full():
            self._outbox.put_nowait(Refusal(MALFORMED, "TOO-MANY-MESSAGES"))
        else:
            self._inbox.put_nowait(text)

    def _said(self, label: str, data: bytes) -> None:
        self._channel.message(self, label, data)

    async def _obey(self) -> None:
        while True:
            try:
                await self._take(await self._inbox.get())
            except (msgspec.DecodeError, AnswerError) as error:
                raise Refusal(MALFORMED, f"INVALID-MESSAGE: {error}") from None

    async def _take(self, text: str | bytes) -> None:
        match decode(text):
            case Answer(sdp) | ReAnswer(sdp):
                await self._peer.accept(sdp)
                self._answered.set()
            case Candidate(line, mid, index):
                await self._peer.add_candidate(line, mid, index)
            case Pong() | Stats():
                self._ponged.set()
            case Disconnect():
                raise Refusal(NORMAL, LEFT)
            case Connect():
                raise Refusal(MALFORMED, "SECOND-CONNECT")

    async def _live(self) -> None:
        """What begins when the media is connected: membership, forwarding, pings, playlists."""
        await self._in_time(self._peer.connected, self._settings.connect_seconds, "CONNECTION-CREATED-TIMEOUT")
        self._channel.enter(self, timestamp())
        self._peer.forward()
        self.refresh()
        async with asyncio.TaskGroup() as tasks:
            works = (self._ping, self._negotiate, self._write, self._switch, self._expire, self._peer.ask_key_frames)
            for each in works:
                tasks.create_task(each())

    async def _switch(self) -> None:
        """Let signalling move to the data channels as soon as all are open, if there are any."""
        if self._peer.data_channels.any:
            await self._peer.data_channels.opened()
            ignore = bool(self._connect.ignore_disconnect_websocket)
            await self._send_over_socket({"type": "switched", "ignore_disconnect_websocket": ignore})
            self._switched = True

    async def _expire(self) -> None:
        """End the connection when its life is over, if that has an end."""
        told = lifetime_in(self._connect.metadata) if self._settings.plain_sora else 0.0
        if seconds := told or self._settings.connection_seconds:
            await asyncio.sleep(seconds)
            self.kick("LIFETIME-EXPIRED")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._settings.ping_seconds)
            self._ponged.clear()
            await self._ask()
            await self._in_time(self._ponged, self._settings.pong_seconds, "PONG-TIMEOUT")

    async def _ask(self) -> None:
        """Ask whether the client is there, over the websocket for as long as there is one."""
        if self._socket.closed and self._switched:
            self._peer.data_channels.tell({"type": "req-stats"})
        else:
            await self._send_over_socket({"type": "ping", "stats": True})

    async def _negotiate(self) -> None:
        while True:
            await self._refreshed.wait()
            self._refreshed.clear()
            published = list(self._channel.published(self))
            if self._peer.behind(published):
                self._answered.clear()
                self.tell({"type": "re-offer", "sdp": await self._peer.offer(published)})
                await self._in_time(self._answered, RE_ANSWER_SECONDS, "RE-ANSWER-TIMEOUT")
                self._peer.forward()

    async def _write(self) -> None:
        sound = next((each for each in self.publications if each.kind == "audio"), None)
        picture = next((each for each in self.publications if each.kind == "video"), None)
        if self._broadcast and sound:
            await self._broadcast.run(sound, picture, timestamp())

    async def _in_time(self, event: asyncio.Event, seconds: float, reason: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            raise Refusal(TIMED_OUT, reason) from None
