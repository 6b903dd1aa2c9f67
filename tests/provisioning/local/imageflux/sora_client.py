"""A plain Sora client on stock aiortc, to look at every message of the stand-in."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

import aiohttp
from aiohttp import WSMsgType
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpreceiver import RemoteStreamTrack

from provisioning.imageflux import Channel


class SoraClient:
    """Connected when entered; a sender sends silence in real time."""

    def __init__(self, http: aiohttp.ClientSession, channel: Channel, role: str, **connect: Any) -> None:
        self._http, self._channel = http, channel
        self._connect = {
            "type": "connect",
            "role": role,
            "channel_id": channel.channel_id,
            "audio": True,
            "video": False,
            **connect,
        }
        self._notifications: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._re_offers: asyncio.Queue[str] = asyncio.Queue()
        self._offered, self._created = asyncio.Event(), asyncio.Event()
        self._tracks: list[MediaStreamTrack] = []
        self._tracked = asyncio.Event()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.on("track", self._take_track)
        self.answers_pings = True
        self.offer: dict[str, Any] = {}
        self.pushed: asyncio.Queue[Any] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.close = (0, "")

    @property
    def connection_id(self) -> str:
        return str(self.offer["connection_id"])

    async def __aenter__(self) -> Self:
        self._socket = await self._http.ws_connect(self._channel.signalling_url)
        self._listener = asyncio.create_task(self._listen(), name="sora client")
        await self._say(self._connect)
        async with asyncio.timeout(10):
            await self._created.wait()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._say({"type": "disconnect", "reason": "NO-ERROR"})
        async with asyncio.timeout(10):
            await self._listener
        await self._peer.close()

    async def notified(self, event_type: str) -> dict[str, Any]:
        while (notification := await self._notifications.get())["event_type"] != event_type:
            pass
        return notification

    async def re_offered(self) -> str:
        return await self._re_offers.get()

    async def hears(self, tracks: int = 1) -> None:
        """Wait until a new frame has come on so many tracks."""
        while len(self._tracks) < tracks:
            self._tracked.clear()
            await self._tracked.wait()
        for track in self._tracks:
            assert isinstance(track, RemoteStreamTrack)
            while not track._queue.empty():
                track._queue.get_nowait()
            await track.recv()

    def _take_track(self, track: MediaStreamTrack) -> None:
        self._tracks.append(track)
        self._tracked.set()

    async def _say(self, message: dict[str, Any]) -> None:
        if not self._socket.closed:
            await self._socket.send_str(json.dumps(message))

    async def _listen(self) -> None:
        while (frame := await self._socket.receive()).type is WSMsgType.TEXT:
            await self._take(json.loads(frame.data))
        self.close = (int(frame.data or 0), str(frame.extra)) if frame.type is WSMsgType.CLOSE else (1006, "")
        self.closed.set()

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "offer":
                self.offer = message
                await self._answer(message["sdp"], "answer")
            case "re-offer":
                await self._answer(message["sdp"], "re-answer")
                self._re_offers.put_nowait(message["sdp"])
            case "ping" if self.answers_pings:
                await self._say({"type": "pong"})
            case "notify":
                self._notifications.put_nowait(message)
                if message["connection_id"] == self.offer["connection_id"]:
                    self._created.set()
            case "push":
                self.pushed.put_nowait(message["data"])

    async def _answer(self, sdp: str, kind: str) -> None:
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        if self._connect["role"] == "sendonly":
            for transceiver in self._peer.getTransceivers():
                if transceiver.kind == "audio" and transceiver.sender.track is None:
                    transceiver.sender.replaceTrack(AudioStreamTrack())
                    transceiver.direction = "sendonly"
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        await self._say({"type": kind, "sdp": self._peer.localDescription.sdp})
