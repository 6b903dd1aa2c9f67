"""The HTTP API of the stand-in: always `POST /`, the action in a header, JSON both ways.

The error bodies are ours (`{"error_type", "error_reason"}`): the real service's are documented nowhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from hmac import compare_digest
from typing import Any, Final

import msgspec
from aiohttp import web

from provisioning.imageflux import CREATE, CREATE_WITH_HLS, DELETE, GET_KEY, LIST_CHANNELS, LIST_PLAYLISTS
from provisioning.local.imageflux.captions import CaptionPush
from provisioning.local.imageflux.channels import ENDED_BY_API, Channel
from provisioning.local.imageflux.encryption import Encryption
from provisioning.local.imageflux.files import ANY_ORIGIN
from provisioning.local.imageflux.ids import channel_id
from provisioning.local.imageflux.requests import (
    ChannelRequest,
    ConnectionRequest,
    CreateRequest,
    CreateWithHlsRequest,
    KeyRequest,
    NoRequest,
    PushRequest,
    decode,
)
from provisioning.local.imageflux.settings import Faults, StandInSettings

DISCONNECT_CONNECTION: Final = "Sora_20151104.DisconnectConnection"
DISCONNECT_CHANNEL: Final = "Sora_20151104.DisconnectChannel"
PUSH_CHANNEL: Final = "Sora_20160711.PushChannel"

Answer = dict[str, Any]


class _ApiError(Exception):
    def __init__(self, status: int, error_type: str, reason: str = "") -> None:
        self.status, self.error_type, self.reason = status, error_type, reason
        super().__init__(error_type)


def _failure(status: int, error_type: str, reason: str = "") -> web.Response:
    return web.json_response({"error_type": error_type, "error_reason": reason}, status=status)


class Api:
    """The actions on `channels`, which it shares with signalling; `address` gives the URL that clients connect to."""

    def __init__(
        self, channels: dict[str, Channel], settings: StandInSettings, faults: Faults, address: Callable[[], str]
    ) -> None:
        self._channels, self._settings, self._faults, self._address = channels, settings, faults, address
        self._actions: dict[str, tuple[type[Any], Callable[[Any], Answer]]] = {
            CREATE_WITH_HLS: (CreateWithHlsRequest, self._create),
            CREATE: (CreateRequest, self._create),
            LIST_PLAYLISTS: (ChannelRequest, self._playlists),
            LIST_CHANNELS: (NoRequest, self._list),
            DELETE: (ChannelRequest, self._delete),
            GET_KEY: (KeyRequest, self._key),
            DISCONNECT_CHANNEL: (ChannelRequest, self._disconnect_channel),
            DISCONNECT_CONNECTION: (ConnectionRequest, self._disconnect),
            PUSH_CHANNEL: (PushRequest, self._push),
        }

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call."""
        await asyncio.sleep(self._faults.slow_seconds)
        if self._faults.api_status:
            return _failure(self._faults.api_status, "FAULT", "switched on")
        target = request.headers.get("X-Sora-Target", "")
        if not self._allowed(request.headers.get("Authorization", ""), target):
            return _failure(401, "UNAUTHORIZED")
        try:
            return web.json_response(self._done(target, await request.read()))
        except _ApiError as error:
            return _failure(error.status, error.error_type, error.reason)

    async def serve_key(self, request: web.Request) -> web.Response:
        """Be the key server of whoever has none: answer GET with the 16 bytes of the key `kid`, for any origin."""
        key = self._key_of(request.query.get("kid", ""))
        return web.Response(status=200 if key else 404, body=key, headers=ANY_ORIGIN | {"Cache-Control": "no-store"})

    def _key_of(self, kid: str) -> bytes | None:
        found = (channel.encryption for channel in self._channels.values())
        return next((encryption.key for encryption in found if encryption and encryption.kid == kid), None)

    def _key(self, asked: KeyRequest) -> Answer:
        key = self._key_of(asked.kid)
        if key is None:
            raise _ApiError(404, "KEY-NOT-FOUND")
        return {"encrypt_key": key.hex()}

    def _allowed(self, authorization: str, target: str) -> bool:
        expected = f"Bearer {self._settings.token.reveal()}"
        open_to_all = self._settings.plain_sora and target.startswith("Sora_")
        return open_to_all or compare_digest(authorization.encode(), expected.encode())

    def _done(self, target: str, body: bytes) -> Answer:
        if target not in self._actions:
            raise _ApiError(400, "UNKNOWN-TARGET", target[:200])
        kind, action = self._actions[target]
        try:
            asked = decode(body, kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _ApiError(400, "INVALID-REQUEST", str(error)) from None
        return action(asked)

    def _create(self, asked: CreateRequest) -> Answer:
        uri = asked.encrypt_key_uri if isinstance(asked, CreateWithHlsRequest) else ""
        encryption = Encryption(uri, os.urandom(8).hex(), os.urandom(16)) if uri else None
        made = Channel(channel_id(os.urandom(34)), asked, encryption)
        self._channels[made.channel_id] = made
        return {"channel_id": made.channel_id, "sora_url": self._address()}

    def _playlists(self, asked: ChannelRequest) -> Answer:
        listed = self._channel(asked.channel_id).playlists
        hls = [{"connection_id": name, "playlist_url": url} for name, url in listed.items()]
        return {"channel_id": asked.channel_id, "hls": hls}

    def _list(self, _asked: NoRequest) -> Answer:
        return {"channel_ids": [name for name, channel in self._channels.items() if not channel.deleted]}

    def _delete(self, asked: ChannelRequest) -> Answer:
        self._channel(asked.channel_id).delete()
        return {}

    def _disconnect_channel(self, asked: ChannelRequest) -> Answer:
        for member in tuple(self._channel(asked.channel_id).members.values()):
            member.kick(ENDED_BY_API)
        return {}

    def _disconnect(self, asked: ConnectionRequest) -> Answer:
        member = self._channel(asked.channel_id).members.get(asked.connection_id)
        if member is None:
            raise _ApiError(404, "CONNECTION-NOT-FOUND")
        member.kick(ENDED_BY_API)
        return {}

    def _push(self, asked: PushRequest) -> Answer:
        channel = self._channel(asked.channel_id)
        push = {"type": "push", "data": msgspec.json.decode(asked.data)}
        for member in channel.members.values():
            member.tell(push)
        with suppress(msgspec.ValidationError):  # any other push is for the members alone
            channel.say(msgspec.json.decode(asked.data, type=CaptionPush))
        return {}

    def _channel(self, name: str) -> Channel:
        channel = self._channels.get(name)
        if channel is None or channel.deleted:
            raise _ApiError(404, "CHANNEL-NOT-FOUND")
        return channel
