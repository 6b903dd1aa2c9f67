"""The two HTTP calls of the Realtime service that the cloud makes, with the faults it must survive.

Shapes after the vendor's API description: `client_secrets` answers 200 with value, expires_at and the effective
session; errors are `{"error": {"message", "type", "param", "code"}}`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from device.messages.secret import Secret
from provisioning.listening import listening
from provisioning.settings import OpenAISettings

KEY = "sk-test-key"

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
    hung_up: list[str] = field(default_factory=list)
    hang_ups: int = 0
    """How often a hang-up was asked for."""
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

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        """Handle POST /v1/realtime/calls/{id}/hangup."""
        self.hang_ups += 1
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
            web.post("/v1/realtime/calls/{call}/hangup", service.hang_up),
        ]
    )
    async with listening(app, "127.0.0.1", 0) as port:
        service.base_url = f"http://127.0.0.1:{port}/v1"
        try:
            yield service
        finally:
            service.wake.set()
