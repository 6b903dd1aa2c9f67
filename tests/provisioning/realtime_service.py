"""The HTTP calls that the cloud makes of the service, with the faults it must survive.

Shapes after the vendor's API description: `client_secrets` answers 200 with value, expires_at and the effective
session; `calls` answers 201 with an SDP, and the call in `Location`; errors are `{"error": {"message", "type", "param", "code"}}`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from device.messages.secret import Secret
from provisioning.listening import listening
from provisioning.settings import OpenAISettings

KEY = "sk-test-key"

ANSWER = "v=0\r\na=ice-lite\r\na=ice-pwd:password-of-the-service\r\n"
"""What calls are answered with."""

Answer = Callable[[], web.StreamResponse]


def error(status: int, code: str, message: str = "no", headers: dict[str, str] | None = None) -> Answer:
    """Return what answers with an error of the documented shape."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return lambda: web.json_response(body, status=status, headers=headers)


@dataclass
class RealtimeService:
    """What it was asked, and what it shall answer instead of a secret."""

    base_url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    forms: list[list[tuple[str, str, bytes]]] = field(default_factory=list)
    """The parts of each form with which a call was opened: name, kind and content."""
    live: list[dict[str, Any]] = field(default_factory=list)
    """The bodies with which Live sessions were opened."""
    sip_only: Answer | None = None
    """What hanging up a Live session is answered with; None does it."""
    sideband: list[str] = field(default_factory=list)
    """What came over sidebands of Live sessions."""
    hung_up: list[str] = field(default_factory=list)
    hang_ups: int = 0
    """How often a hang-up was asked for."""
    hanging_up: int = 0
    """How many hang-ups are asked for and not answered."""
    most_hanging_up: int = 0
    latency: float = 0.0
    """Seconds that each hang-up takes."""
    together: int = 0
    """Hang-ups that must have been asked for at the same time before the first of them is answered."""
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Answer | None = None
    silent: bool = False
    """True lets it answer nothing until `wake` is set."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a secret has been asked for."""
    peers: set[Any] = field(default_factory=set)
    """The connections over which secrets were asked for."""

    def settings(self, **changes: Any) -> OpenAISettings:
        """Return settings that reach this service."""
        return OpenAISettings(base_url=self.base_url, api_key=Secret(KEY), **changes)

    async def secrets(self, request: web.Request) -> web.StreamResponse:
        """Handle POST /v1/realtime/client_secrets."""
        asked = await request.json()
        self.requests.append(asked)
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))
        self.asked.set()
        if self.silent:
            await self.wake.wait()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")()
        if self.answer is not None:
            return self.answer()
        return web.json_response(
            {
                "value": f"ek_{len(self.requests):032x}",
                "expires_at": int(time.time()) + asked["expires_after"]["seconds"],
                "session": {**asked["session"], "object": "realtime.session", "id": "sess_1", "expires_at": 0},
            }
        )

    async def calls(self, request: web.Request) -> web.StreamResponse:
        """Handle POST /v1/realtime/calls of the unified interface."""
        form = [part async for part in self._parts(request)]
        self.forms.append(form)
        self.asked.set()
        if self.silent:
            await self.wake.wait()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")()
        if self.answer is not None:
            return self.answer()
        return self.called(ANSWER)

    @property
    def call_id(self) -> str:
        """The id of the last call."""
        return f"rtc_u1_{len(self.forms)}"

    def called(self, sdp: str, location: str | None = None) -> web.StreamResponse:
        """Return an answer to an offer."""
        headers = {"Location": f"/v1/realtime/calls/{self.call_id}" if location is None else location}
        return web.Response(status=201, body=sdp.encode(), content_type="application/sdp", headers=headers)

    @staticmethod
    async def _parts(request: web.Request) -> AsyncIterator[tuple[str, str, bytes]]:
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            assert part.filename is None
            yield part.name or "", part.headers["Content-Type"], bytes(await part.read())

    async def sessions(self, request: web.Request) -> web.StreamResponse:
        """Handle POST /v1/live/sessions."""
        self.live.append(await request.json())
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")()
        if self.answer is not None:
            return self.answer()
        return self.created(ANSWER)

    def created(self, sdp: str, name: str | None = None) -> web.StreamResponse:
        """Return an answer to whoever opens a Live session."""
        name = f"live_{len(self.live)}" if name is None else name
        return web.json_response({"session": {"id": name}, "transport": {"type": "webrtc", "sdp": sdp}}, status=201)

    async def hang_up_live(self, request: web.Request) -> web.StreamResponse:
        """Handle POST /v1/live/sessions/{id}/hangup."""
        if self.sip_only is not None:
            return self.sip_only()
        self.hung_up.append(request.match_info["session"])
        return web.Response()

    async def attach(self, request: web.Request) -> web.StreamResponse:
        """Handle the sideband of a Live session: whoever asks for its end hears of it, among other things."""
        if request.match_info["session"] == "live_gone":
            return error(404, "session_not_found")()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sideband.append(str((await socket.receive()).data))
        for told in ("no JSON", '{"type":"session.usage.updated"}', '{"type":"session.closed"}'):
            if request.match_info["session"] != "live_deaf" or "closed" not in told:
                await socket.send_str(told)
        await socket.close()
        return socket

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        """Handle POST /v1/realtime/calls/{id}/hangup."""
        self.hang_ups += 1
        self.hanging_up += 1
        self.most_hanging_up = max(self.most_hanging_up, self.hanging_up)
        if self.hanging_up >= self.together:
            self.enough.set()
        await self.enough.wait()
        await asyncio.sleep(self.latency)
        self.hanging_up -= 1
        if self.answer is not None:
            return self.answer()
        self.hung_up.append(request.match_info["call"])
        return web.Response()


@asynccontextmanager
async def realtime_service() -> AsyncIterator[RealtimeService]:
    """Serve it on a free port."""
    service = RealtimeService()
    app = web.Application()
    app.add_routes(
        [
            web.post("/v1/realtime/client_secrets", service.secrets),
            web.post("/v1/realtime/calls", service.calls),
            web.post("/v1/realtime/calls/{call}/hangup", service.hang_up),
            web.post("/v1/live/sessions", service.sessions),
            web.post("/v1/live/sessions/{session}/hangup", service.hang_up_live),
            web.get("/v1/live/sessions/{session}/attach", service.attach),
        ]
    )
    async with listening(app, "127.0.0.1", 0) as port:
        service.base_url = f"http://127.0.0.1:{port}/v1"
        try:
            yield service
        finally:
            service.wake.set()
            service.enough.set()
