"""The sending side of a picture: drawn and encoded in a thread of its own, handed to aiortc as it is.

The voice comes first: the thread is polite to the rest of the process, and a picture that would be late is left out.
aiortc passes an `av.Packet` through untouched (`H264Encoder.pack`) and only cuts it into RTP packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Protocol, TypeVar

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from device.errors import MediaError
from device.rtc.h264 import CLOCK, KEY_SECONDS, Encoder, H264Encoder

LONGEST_QUEUE: Final = 5
"""Pictures that wait for the connection at most; when there are more, all go and a whole one is made."""
POLITE: Final = 10
"""Added to the thread's nice value, so that the voice's threads go first (Linux keeps it for each thread)."""


L = TypeVar("L")


class Motif(Protocol[L]):
    """What is shown."""

    def look(self, now: float) -> L:
        """Return what there is to see at monotonic time `now`; equal values are equal pictures. On the event loop."""

    def draw(self, look: L, /) -> NDArray[np.uint8]:
        """Return its picture, RGB, shape (height, width, 3); called in the thread."""


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """Size in pixels, pictures per second, bit/s at most, and by what they are encoded."""

    width: int
    height: int
    rate: int
    bit_rate: int
    encoder: Encoder = "libx264"


class PictureSender:
    """Sends `motif` on its `track` for as long as `run` runs."""

    def __init__(self, motif: Motif[Any], settings: PictureSettings) -> None:
        self._motif, self._settings = motif, settings
        self._track = _PictureTrack()
        self._encoder: H264Encoder | None = None
        self._drawn: Any = None
        self._whole_at = 0
        self.pictures = self.repeated = self.late = 0

    @property
    def track(self) -> MediaStreamTrack:
        """The track to give to `addTransceiver`; the connection ends it."""
        return self._track

    def follow(self, sender: RTCRtpSender) -> None:
        """Make a whole picture when the far end asks for one; `sender` is the one that sends this track.

        Raises:
            MediaError: aiortc's private names have changed.
        """
        if not hasattr(sender, "_send_keyframe"):
            raise MediaError("aiortc's RTCRtpSender has no _send_keyframe any more; use aiortc 1.16")
        sender._send_keyframe = self._track.want_whole  # type: ignore[method-assign]  # noqa: SLF001 - the mend

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow: pictures made, those that repeat the one before, left out, queued in vain, sent."""
        track = self._track
        return {
            "pictures": self.pictures,
            "pictures_repeated": self.repeated,
            "pictures_late": self.late,
            "pictures_dropped": track.dropped,
            "picture_bytes": track.bytes,
        }

    async def run(self) -> None:
        """Make pictures until cancelled, `rate` a second.

        Raises:
            CodecError: there is no such encoder.
        """
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, thread_name_prefix="picture", initializer=_be_polite)
        try:
            began, tick = loop.time(), 0
            while True:
                look = self._motif.look(loop.time())
                pts = round((loop.time() - began) * CLOCK)
                data, whole = await loop.run_in_executor(thread, self._make, look, pts, self._track.takes_whole())
                self._track.push(data, pts, whole=whole)
                following = max(tick + 1, int((loop.time() - began) * self._settings.rate) + 1)
                self.late += following - tick - 1
                tick = following
                await asyncio.sleep(began + tick / self._settings.rate - loop.time())
        finally:
            thread.shutdown(wait=False, cancel_futures=True)  # what it still draws must not hold up the voice

    def _make(self, look: Any, pts: int, wanted: bool) -> tuple[bytes, bool]:
        """Draw and encode; in the thread."""
        settings = self._settings
        self._encoder = encoder = self._encoder or H264Encoder(
            settings.width,
            settings.height,
            rate=settings.rate,
            bit_rate=settings.bit_rate,
            encoder=settings.encoder,
        )
        same = look == self._drawn
        picture = None if same else self._motif.draw(look)
        self._drawn = look
        self.pictures, self.repeated = self.pictures + 1, self.repeated + same
        whole = wanted or pts >= self._whole_at
        if whole:
            self._whole_at = pts + round(KEY_SECONDS * CLOCK)
        return encoder.encode(picture, pts, whole=whole), whole


class _PictureTrack(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.dropped = self.bytes = 0
        self._unsent: deque[av.Packet[Any]] = deque()
        self._arrival = asyncio.Event()
        self._whole_wanted = self._broken = True

    def want_whole(self) -> None:
        """Have the next picture be one that needs no other."""
        self._whole_wanted = True

    def takes_whole(self) -> bool:
        """Tell, once, whether a whole picture is wanted."""
        wanted, self._whole_wanted = self._whole_wanted, False
        return wanted

    def push(self, data: bytes, pts: int, *, whole: bool) -> None:
        if not data or self.readyState != "live":
            return
        if len(self._unsent) >= LONGEST_QUEUE:
            self.dropped += len(self._unsent)
            self._unsent.clear()
            self._broken = True
        self._broken = self._broken and not whole
        if self._broken:  # what follows a gap is nothing without what was in it
            self.dropped += 1
            self.want_whole()
            return
        packet = av.Packet(data)
        packet.pts, packet.time_base = pts, Fraction(1, CLOCK)
        self._unsent.append(packet)
        self._arrival.set()

    def stop(self) -> None:
        super().stop()
        self._unsent.clear()
        self._arrival.set()

    async def recv(self) -> av.Packet[Any]:
        while not self._unsent:
            if self.readyState != "live":
                raise MediaStreamError
            self._arrival.clear()
            await self._arrival.wait()
        packet = self._unsent.popleft()
        self.bytes += packet.size
        return packet


def _be_polite() -> None:
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), POLITE)
