"""The signalling websocket: one counts at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from device.sora.steps import Event, Opened, Received
from device.sora.websocket import Websocket
from provisioning.listening import listening


@dataclass(slots=True)
class Doors:
    """A server with two addresses; `/slow` opens when the test says so."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    knocked: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def slow(self, request: web.Request) -> web.WebSocketResponse:
        self.knocked.set()
        await self.open.wait()
        socket = await greeted(request, "slow")
        self.closed.set()
        return socket

    async def fast(self, request: web.Request) -> web.WebSocketResponse:
        return await greeted(request, "fast")


async def greeted(request: web.Request, text: str) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(text)
    async for _ in socket:
        pass
    return socket


@asynccontextmanager
async def served(doors: Doors) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.get("/slow", doors.slow), web.get("/fast", doors.fast)])
    async with listening(app, "127.0.0.1", 0) as port:
        yield f"ws://127.0.0.1:{port}"


async def test_a_socket_that_opens_too_late_is_closed_and_not_listened_to() -> None:
    doors, posted = Doors(), asyncio.Queue[Event]()
    async with served(doors) as url, aiohttp.ClientSession() as http, asyncio.timeout(10):
        websocket = Websocket(http, posted.put_nowait)
        late = asyncio.create_task(websocket.run(1, f"{url}/slow"))
        await doors.knocked.wait()
        second = asyncio.create_task(websocket.run(2, f"{url}/fast"))
        assert await posted.get() == Opened(2)
        assert await posted.get() == Received("fast")
        doors.open.set()
        await late
        await doors.closed.wait()
        assert posted.empty()
        await websocket.close()
        await second
