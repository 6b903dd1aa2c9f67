"""The stand-in's loudspeaker: Opus packets of 20 ms on a track, paced in real time by the monotonic clock."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Any, Final

from aiortc import MediaStreamTrack
from av import Packet

from provisioning.local.realtime.coding import Encoder
from provisioning.local.realtime.mouth import Utterance
from provisioning.local.realtime.sound import FRAME, RATE

BITRATE: Final = 32_000
FRAME_SECONDS: Final = FRAME / RATE

_TIME_BASE: Final = Fraction(1, RATE)


class Playback(MediaStreamTrack):
    """A track that sends while an utterance plays and is silent otherwise; its time stamps never stand still."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._encoder = Encoder(BITRATE)
        self._utterance: Utterance | None = None
        self._ended: asyncio.Future[bool] | None = None
        self._sent = 0
        self._due = self._origin = time.monotonic()
        self._wanted = asyncio.Event()

    @property
    def playing(self) -> bool:
        """Whether an utterance has not been played to its end."""
        return self._utterance is not None

    @property
    def due(self) -> float:
        """Monotonic seconds at which the next packet is to be sent."""
        return self._due

    def play(self, utterance: Utterance) -> asyncio.Future[bool]:
        """Begin to play now, and return what tells whether it was played to its end (or else cut)."""
        self.cut()
        ticks = int((time.monotonic() - self._origin) / FRAME_SECONDS) + 1
        self._due = max(self._due, self._origin + ticks * FRAME_SECONDS)
        self._utterance, self._sent = utterance, 0
        self._ended = asyncio.get_running_loop().create_future()
        self._wanted.set()
        return self._ended

    def cut(self) -> int:
        """Stop now, and return how many milliseconds of the last utterance were played."""
        self._end(whole=False)
        return round(self._sent * FRAME_SECONDS * 1000)

    def stop(self) -> None:
        """End the track."""
        self.cut()
        super().stop()

    async def recv(self) -> Packet[Any]:
        """Return the next packet when it is due; aiortc sends it as it is."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self._due - time.monotonic())
            if self._utterance is None:
                continue
            if self._sent * FRAME < len(self._utterance.samples):
                return self._next(self._utterance)
            self._end(whole=True)

    def _end(self, *, whole: bool) -> None:
        self._utterance = None
        self._wanted.clear()
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(whole)

    def _next(self, utterance: Utterance) -> Packet[Any]:
        start = self._sent * FRAME
        packet = Packet(self._encoder.encode(utterance.samples[start : start + FRAME]))
        packet.pts = round((self._due - self._origin) * RATE)
        packet.time_base = _TIME_BASE
        self._sent += 1
        self._due += FRAME_SECONDS
        return packet
