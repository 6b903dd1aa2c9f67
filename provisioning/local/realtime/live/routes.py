"""The HTTP side of Live sessions: opening one, hanging it up, and the sideband, of which `session.close` alone is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from provisioning.local.realtime.answer import checked_offer
from provisioning.local.realtime.dialogue import House
from provisioning.local.realtime.faults import HttpFault
from provisioning.local.realtime.live.call import LiveCall
from provisioning.local.realtime.peer_call import PeerCall
from provisioning.local.realtime.refusals import RefusedError

Failed = Callable[[web.Request, HttpFault | None], Awaitable[web.StreamResponse | None]]


class _Transport(msgspec.Struct):
    type: str
    sdp: str


class _Body(msgspec.Struct):
    session: dict[str, Any]
    transport: _Transport


class LiveRoutes:
    """Handles requests with the account's key; `begin` runs a call, and `calls` are those that go on.

    `failed` answers in the place of the right answer, where something is to go wrong.
    """

    def __init__(
        self,
        house: House,
        calls: Mapping[str, PeerCall],
        begin: Callable[[PeerCall], None],
        require_key: Callable[[web.Request], None],
        failed: Failed,
    ) -> None:
        self._house, self._calls, self._begin = house, calls, begin
        self._require_key, self._failed = require_key, failed

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.post("/v1/live/sessions", self._create),
            web.post("/v1/live/sessions/{session}/hangup", self._hangup),
            web.get("/v1/live/sessions/{session}/attach", self._attach),
        ]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self._require_key(request)
        self._house.course.asked()
        failed = await self._failed(request, self._house.faults.calls)
        if failed is not None:
            return failed
        try:
            body = msgspec.json.decode(await request.read(), type=_Body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RefusedError(400, "invalid_value", f"Invalid body: {error}") from None
        if body.transport.type != "webrtc":
            raise RefusedError(400, "invalid_value", "Invalid value: transport.type.", param="transport.type")
        call = LiveCall(self._house, body.session)
        answer = await call.answer(checked_offer(body.transport.sdp.encode()))
        self._begin(call)
        return web.json_response(
            {"session": {"id": call.id}, "transport": {"type": "webrtc", "sdp": answer}}, status=201
        )

    async def _hangup(self, request: web.Request) -> web.StreamResponse:
        self._require_key(request)
        self._found(request).hang_up()
        return web.Response(status=200)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        self._require_key(request)
        call = self._found(request)
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT and _kind(message.data) == "session.close":
                call.hang_up()
                await socket.send_str(msgspec.json.encode(await asyncio.shield(call.over)).decode())
                break
        await socket.close()
        return socket

    def _found(self, request: web.Request) -> LiveCall:
        call = self._calls.get(request.match_info["session"])
        if not isinstance(call, LiveCall):
            raise RefusedError(404, "session_not_found", "No Live session of this id.", param="session_id")
        return call


def _kind(data: str) -> str:
    try:
        return str(msgspec.json.decode(data, type=dict[str, Any]).get("type"))
    except msgspec.DecodeError:
        return ""
