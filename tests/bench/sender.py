"""The sending end of the receive bench: a process that sends known packets over real DTLS and RTP, badly on purpose.

One JSON object a line on standard input: `{"offer": true}`, `{"answer": sdp}`, `{"send": [...], "ppm": 0, "start": t}`
(`send` is the trace, `start` the monotonic second of the first packet), `{"end": true}`; each is answered by one line.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from device.audio.block import BLOCK, BLOCK_SECONDS
from device.rtc.peer import new_peer, only_opus
from tests.bench.impairments import Trace
from tests.bench.urgency import urgently


class Packets(MediaStreamTrack):
    """Gives known packets at their time, on a clock that may be fast."""

    kind = "audio"

    def __init__(self, packets: list[bytes]) -> None:
        super().__init__()
        self._packets = packets
        self._begin = asyncio.Event()
        self.sent = 0
        self.start = self.pace = 0.0
        self.done = asyncio.Event()

    def begin(self, start: float, ppm: float) -> None:
        """Send the first packet at the monotonic second `start`."""
        self.start, self.pace = start, BLOCK_SECONDS / (1 + ppm * 1e-6)
        self._begin.set()

    async def recv(self) -> av.Packet[Any]:
        """Return the next packet when it is due."""
        await self._begin.wait()
        if self.sent == len(self._packets):
            self.done.set()
            await asyncio.Event().wait()
        await asyncio.sleep(max(0.0, self.start + self.sent * self.pace - time.monotonic()))
        packet = av.Packet(self._packets[self.sent])
        packet.pts, packet.time_base = self.sent * BLOCK, Fraction(1, 48_000)
        self.sent += 1
        return packet


class BadNetwork:
    """Stands before one connection's ICE transport and loses and holds up its RTP packets by a trace."""

    def __init__(self, transport: Any) -> None:
        self._send, self._trace, self._first = transport._send, list[float | None](), -1
        self._tasks: set[asyncio.Task[None]] = set()
        transport._send = self.send  # on this instance only

    def impose(self, trace: Trace) -> None:
        """Treat the RTP packets that come from now on so."""
        self._trace, self._first = trace, -1

    async def send(self, data: bytes) -> None:
        """Send, hold up, or lose one datagram; DTLS, STUN and RTCP pass (RFC 7983, RFC 5761)."""
        is_rtp = 128 <= data[0] < 192 and not 192 <= data[1] <= 223
        late = self._late(int.from_bytes(data[2:4], "big")) if is_rtp else 0.0
        if late is None:
            return
        if late == 0.0:
            await self._send(data)
            return
        task = asyncio.create_task(self._later(late, data))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, seconds: float, data: bytes) -> None:
        await asyncio.sleep(seconds)
        with suppress(ConnectionError):
            await self._send(data)

    def _late(self, sequence: int) -> float | None:
        self._first = sequence if self._first < 0 else self._first
        index = (sequence - self._first) & 0xFFFF
        return self._trace[index] if index < len(self._trace) else 0.0


class Sender:
    """One connection after the other, each to one receiver."""

    def __init__(self, packets: list[bytes]) -> None:
        self._packets = packets
        self._peer: RTCPeerConnection | None = None

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do what one line asks for and return the line that answers it."""
        if "offer" in order:
            return await self._offer()
        if "answer" in order:
            return await self._answered(order["answer"])
        if "send" in order:
            return await self._play(order)
        if self._peer:
            await self._peer.close()
        return {"ended": True}

    async def _offer(self) -> dict[str, Any]:
        self._peer, self._track = new_peer(), Packets(self._packets)
        transceiver = self._peer.addTransceiver(self._track, direction="sendonly")
        only_opus(transceiver)
        self._network = BadNetwork(transceiver.sender.transport.transport)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return {"offer": self._peer.localDescription.sdp}

    async def _answered(self, sdp: str) -> dict[str, Any]:
        assert self._peer is not None
        connected = asyncio.Event()
        self._peer.on("connectionstatechange", lambda: connected.set() if self._state() == "connected" else None)
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        async with asyncio.timeout(20):
            await connected.wait()
        return {"connected": True}

    def _state(self) -> str:
        return self._peer.connectionState if self._peer else "closed"

    async def _play(self, order: dict[str, Any]) -> dict[str, Any]:
        self._network.impose(order["send"])
        self._track.begin(order["start"], order["ppm"])
        await self._track.done.wait()
        return {"sent": self._track.sent}


async def serve(packets: list[bytes]) -> None:
    """Obey standard input until it ends."""
    sender, loop = Sender(packets), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await sender.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    urgently()
    listed = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(serve([base64.b64decode(text) for text in listed]))
