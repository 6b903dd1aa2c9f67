"""The signalling door of the stand-in: who may connect, and as what."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from aiohttp import WSMsgType, web

from provisioning.local.imageflux.broadcast import Broadcast
from provisioning.local.imageflux.channels import Card, Channel
from provisioning.local.imageflux.connection import (
    MALFORMED,
    REFUSED,
    TIMED_OUT,
    UNKNOWN_CHANNEL,
    Connection,
    Refusal,
)
from provisioning.local.imageflux.ids import connection_id
from provisioning.local.imageflux.messages import Connect, decode
from provisioning.local.imageflux.peer import supported
from provisioning.local.imageflux.requests import CreateRequest
from provisioning.local.imageflux.segments import PLAYLIST
from provisioning.local.imageflux.settings import Faults, StandInSettings
from provisioning.local.imageflux.webhooks import allowed

FIRST_MESSAGE_SECONDS: Final = 10.0


class Signalling:
    """Takes clients in at a websocket, for the channels it shares with the API.

    Args:
        root: where playlists are written.
        address: gives the base URL under which they are served.
        http: for webhooks; owned by the caller.
    """

    def __init__(
        self,
        channels: dict[str, Channel],
        settings: StandInSettings,
        faults: Faults,
        root: Path,
        address: Callable[[], str],
        http: aiohttp.ClientSession,
    ) -> None:
        self._channels, self._settings, self._faults = channels, settings, faults
        self._root, self._address, self._http = root, address, http
        self.connections: set[Connection] = set()
        """Everybody whose socket is open, also those that are not members of a channel yet."""

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one client from its first message to its end."""
        socket = web.WebSocketResponse(max_msg_size=1_000_000)
        await socket.prepare(request)
        try:
            connection = await self._admitted(socket)
        except Refusal as refusal:
            await socket.close(code=refusal.code, message=refusal.reason.encode()[:123])
            return socket
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)
        return socket

    async def _admitted(self, socket: web.WebSocketResponse) -> Connection:
        connect = await self._first(socket)
        name = connection_id(os.urandom(16))
        channel = await self._checked(connect, name)
        channel.session_id = channel.session_id or connection_id(os.urandom(16))
        client = connect.client_id or name
        card = Card(
            role=connect.role,
            session_id=channel.session_id,
            client_id=client,
            bundle_id=connect.bundle_id or name,
            connection_id=name,
            audio=bool(connect.audio),
            video=bool(connect.video),
            metadata=connect.signaling_notify_metadata,
        )
        return Connection(socket, connect, card, channel, self._settings, self._broadcast(channel, name))

    async def _first(self, socket: web.WebSocketResponse) -> Connect:
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                frame = await socket.receive()
        except TimeoutError:
            raise Refusal(TIMED_OUT, "NO-CONNECT") from None
        if frame.type is not WSMsgType.TEXT:
            raise Refusal(MALFORMED, "NOT-TEXT")
        try:
            message = decode(frame.data)
        except msgspec.DecodeError as error:
            raise Refusal(MALFORMED, f"INVALID-MESSAGE: {error}") from None
        if not isinstance(message, Connect):
            raise Refusal(MALFORMED, "CONNECT-MUST-BE-FIRST")
        return message

    async def _checked(self, connect: Connect, name: str) -> Channel:
        await asyncio.sleep(self._faults.slow_seconds)
        if self._faults.refuse_connect:
            raise Refusal(REFUSED, "FAULT-SWITCHED-ON")
        channel = self._channels.get(connect.channel_id)
        if channel is None and self._settings.plain_sora:
            channel = self._channels[connect.channel_id] = Channel(connect.channel_id, CreateRequest())
        if channel is None or channel.deleted:
            raise Refusal(UNKNOWN_CHANNEL, "CHANNEL-NOT-FOUND")
        if not supported(connect) or not (connect.audio or connect.video):
            raise Refusal(MALFORMED, "UNSUPPORTED-CODEC: this stand-in has OPUS, VP8 and H264")
        url = channel.created.auth_webhook_url
        reason = await allowed(self._http, url, connect, name) if url else ""
        if reason:
            raise Refusal(REFUSED, reason)
        return channel

    def _broadcast(self, channel: Channel, name: str) -> Broadcast | None:
        if not channel.renditions:
            return None
        return Broadcast(
            channel,
            name,
            folder=self._root / channel.channel_id / name,
            listed=self._settings.playlist_segments,
            url=f"{self._address()}/hls/{channel.channel_id}/{name}/{PLAYLIST}",
            http=self._http,
        )
