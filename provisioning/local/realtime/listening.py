"""The sound that arrives: stock aiortc decodes it, and what was lost on the way is filled with silence.

aiortc's own jitter buffer holds back four packets and stalls for 300 ms at each lost one; no service would. Here it
is replaced, for one receiver, by one that passes every packet on unless a newer one has been passed already.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import numpy as np
from aiortc import MediaStreamTrack, RTCRtpReceiver
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from aiortc.utils import uint16_gt
from av import AudioFrame

from provisioning.local.realtime.sound import FRAME, RATE, Samples

LONGEST_GAP: Final = 50
"""Frames: after a longer pause the sender's clock is believed to have moved, not its sound to be lost."""

_SILENCE: Final = np.zeros(FRAME, np.int16)


class PromptBuffer:
    """Passes each RTP packet on as it comes, in the place of aiortc's `JitterBuffer`."""

    def __init__(self) -> None:
        self._newest: int | None = None

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Return (False, the packet as a frame), or no frame when it came too late."""
        if self._newest is not None and not uint16_gt(packet.sequence_number, self._newest):
            return False, None
        self._newest = packet.sequence_number
        return False, JitterFrame(packet._data, packet.timestamp)  # type: ignore[attr-defined]  # noqa: SLF001 - set by the receiver


def hear_promptly(receiver: RTCRtpReceiver) -> None:
    """Replace the jitter buffer of `receiver`."""
    receiver._RTCRtpReceiver__jitter_buffer = PromptBuffer()  # type: ignore[attr-defined]  # noqa: SLF001 - no public way


async def frames(track: MediaStreamTrack) -> AsyncIterator[Samples]:
    """Yield what arrives in frames of 20 ms, shape (960,), until the track ends."""
    expected: int | None = None
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, AudioFrame) or frame.sample_rate != RATE or frame.pts is None:
            continue
        missing = 0 if expected is None else (frame.pts - expected) // FRAME
        for _ in range(missing if 0 < missing <= LONGEST_GAP else 0):
            yield _SILENCE
        samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
        for start in range(0, len(samples) - FRAME + 1, FRAME):
            yield np.ascontiguousarray(samples[start : start + FRAME])
        expected = frame.pts + len(samples)
