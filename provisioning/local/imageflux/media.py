"""Media through the stand-in: taken from a publisher as encoded frames, handed to receivers untouched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_gt
from av.packet import Packet

from provisioning.local.imageflux.timeline import Unwrapped

CLOCK: Final = {"audio": 48_000, "video": 90_000}
"""RTP clock rates, Hz."""
STEP: Final = {"audio": 960, "video": 3_000}
"""Clock ticks between the last frame of one source and the first of the next."""
MOST_WAITING: Final = 100

Deliver = Callable[[bytes, int], None]
"""Takes one encoded frame and its RTP timestamp."""


class Tap:
    """Stands where a receiver of aiortc 1.16 keeps its jitter buffer, hands each frame on at once and lets none pass.

    So nothing is decoded, nothing waits (that buffer holds 80 ms, and 300 ms after a loss), and RTCP still works.
    """

    def __init__(self, kind: str, deliver: Deliver) -> None:
        self._deliver = deliver
        self._frames = JitterBuffer(capacity=512, is_video=True) if kind == "video" else None
        self._newest: int | None = None
        self.ssrc: int | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Take one packet; the first value of the result asks the publisher for a key frame."""
        self.ssrc = packet.ssrc
        wanted, frame = self._frames.add(packet) if self._frames else (False, self._in_order(packet))
        if frame is not None:
            self._deliver(frame.data, frame.timestamp)
        return wanted, None

    def _in_order(self, packet: RtpPacket) -> JitterFrame | None:
        if self._newest is not None and not uint16_gt(packet.sequence_number, self._newest):
            return None
        self._newest = packet.sequence_number
        return JitterFrame(packet.payload, packet.timestamp)


def tap(receiver: RTCRtpReceiver, kind: str, deliver: Deliver) -> Tap:
    """Put a tap into `receiver` before its first packet, and return it."""
    made = Tap(kind, deliver)
    receiver._RTCRtpReceiver__jitter_buffer = made  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    return made


class Publication:
    """What one connection publishes of one kind; encoded frames go to every listener."""

    def __init__(self, kind: str, connection_id: str, codec: str) -> None:
        self.kind, self.connection_id, self.codec = kind, connection_id, codec
        self.listeners: set[Deliver] = set()
        self.key_frame_wanted = asyncio.Event()
        """Set for a picture when somebody begins to look; its publisher is asked and clears it."""

    def begin(self, listener: Deliver) -> None:
        """Hand every frame from now on to `listener` too."""
        self.listeners.add(listener)
        if self.kind == "video":
            self.key_frame_wanted.set()

    def deliver(self, data: bytes, timestamp: int) -> None:
        """Hand one frame to everybody who listens now."""
        for listener in tuple(self.listeners):
            listener(data, timestamp)


class Outlet(MediaStreamTrack):
    """A track that sends whatever encoded frames are pushed, from one source after another, on one clock."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._queue: asyncio.Queue[Packet[Any]] = asyncio.Queue(MOST_WAITING)
        self._base = Fraction(1, CLOCK[kind])
        self._last = -STEP[kind]
        self.restart()

    def restart(self) -> None:
        """Go on with another source, whose timestamps have nothing to do with the last one's."""
        self._unwrapped = Unwrapped()
        self._offset: int | None = None

    def push(self, data: bytes, timestamp: int) -> None:
        """Send one frame; when the connection cannot keep up, the oldest is dropped."""
        timestamp = self._unwrapped(timestamp)
        if self._offset is None:
            self._offset = self._last + STEP[self.kind] - timestamp
        if self._queue.full():
            self._queue.get_nowait()
        packet = Packet(data)
        packet.pts = self._last = timestamp + self._offset
        packet.time_base = self._base
        self._queue.put_nowait(packet)

    async def recv(self) -> Packet[Any]:
        """Return the next frame, still encoded, so that the sender only packetizes it."""
        return await self._queue.get()
