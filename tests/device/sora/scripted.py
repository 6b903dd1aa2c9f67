"""A Sora server whose every word is said by the test, with a real peer connection to offer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from aiohttp import WSMsgType, web
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from provisioning.local.imageflux.media import tap

CONNECTION_ID = "0123456789ABCDEFGHJKMNPQRS"


class Client:
    """One websocket of a client."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def hear(self, kind: str) -> dict[str, Any]:
        """Return the next message of that type; others are skipped."""
        async with asyncio.timeout(10):
            while (message := await self.heard.get())["type"] != kind:
                pass
        return message

    async def say(self, message: dict[str, Any]) -> None:
        await self.socket.send_str(json.dumps(message))

    async def close(self, code: int, reason: str) -> None:
        await self.socket.close(code=code, message=reason.encode())


class ScriptedSora:
    def __init__(self) -> None:
        self._clients: asyncio.Queue[Client] = asyncio.Queue()
        self._stack = AsyncExitStack()
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.add_routes([web.get("/signaling", self._serve)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "ws://{}:{}/signaling".format(*runner.addresses[0][:2])
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stack.aclose()

    async def client(self) -> Client:
        async with asyncio.timeout(10):
            return await self._clients.get()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = Client(socket)
        self._clients.put_nowait(client)
        async for frame in socket:
            assert frame.type is WSMsgType.TEXT
            client.heard.put_nowait(json.loads(frame.data))
        client.gone.set()
        return socket


class Offerer:
    """The server's peer connection; keeps the timestamps of the frames it received."""

    def __init__(self, kinds: Sequence[str] = ("audio",)) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.timestamps: list[int] = []
        self.received = asyncio.Event()
        for kind in kinds:
            self.add(kind)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.peer.close()

    def add(self, kind: str) -> None:
        transceiver = self.peer.addTransceiver(kind, "recvonly")
        if kind == "audio":
            tap(transceiver.receiver, kind, self._take)

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def accept(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def until_received(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.timestamps) < count:
                self.received.clear()
                await self.received.wait()

    def _take(self, _data: bytes, timestamp: int) -> None:
        self.timestamps.append(timestamp)
        self.received.set()


async def put_on_air(client: Client, offerer: Offerer, **extra: Any) -> dict[str, Any]:
    """Play a server's usual part up to `connection.created`; return the client's answer."""
    await client.hear("connect")
    await client.say({"type": "offer", "sdp": await offerer.offer(), "connection_id": CONNECTION_ID, **extra})
    answer = await client.hear("answer")
    await offerer.accept(answer["sdp"])
    await client.say({"type": "notify", "event_type": "connection.created", "connection_id": CONNECTION_ID})
    return answer


def sections(sdp: str) -> list[str]:
    return re.split(r"^(?=m=)", sdp, flags=re.MULTILINE)[1:]


def mids(sdp: str) -> list[str]:
    return re.findall(r"^a=mid:(\S+)", sdp, re.MULTILINE)


def with_port_0(sdp: str, mid: str) -> str:
    """Return `sdp` as a server writes it that has released one section: port 0, nothing of the transport left."""
    head, *parts = re.split(r"^(?=m=)", sdp, flags=re.MULTILINE)
    kept = []
    for part in parts:
        if f"a=mid:{mid}\r\n" in part:
            media = re.sub(r"^(m=\S+) \d+", r"\1 0", part.split("\r\n")[0])
            kept.append(f"{media}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n")
        else:
            kept.append(part)
    return re.sub(rf"(a=group:BUNDLE.*?) {mid}\b", r"\1", head) + "".join(kept)
