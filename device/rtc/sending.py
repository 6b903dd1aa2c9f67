"""The mend of aiortc's sending side: packets encoded by our own libopus instead of 96 kbit/s stereo without FEC.

aiortc passes an `av.Packet` through untouched (`Encoder.pack`) and neither encodes nor measures its level in Python.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
from aiortc import MediaStreamTrack, RTCRtpSender

from device.audio.block import BLOCK, RATE, Samples
from device.audio.opus import Application, OpusEncoder, OpusSettings
from device.rtc.losses import ExpectedLoss, on_loss_report
from device.rtc.waiting import Waiting

LONGEST_QUEUE: Final = 10
"""Blocks that wait for the connection at most: 200 ms."""

_TIME_BASE: Final = Fraction(1, RATE)


class OpusSender:
    """A `BlockSink` whose `track` sends what is pushed as one mono Opus voice.

    Raises:
        CodecError: libopus is missing or refuses the settings.
    """

    def __init__(self, settings: OpusSettings | None = None, application: Application = Application.VOIP) -> None:
        settings = settings or OpusSettings()
        encoder = OpusEncoder(
            application=application,
            bit_rate=settings.bit_rate,
            complexity=settings.complexity,
            expected_loss_percent=settings.expected_loss_percent,
        )
        self._track = _OpusTrack(encoder)
        self._loss = ExpectedLoss(settings.expected_loss_percent)

    @property
    def track(self) -> MediaStreamTrack:
        """The track to give to `addTrack` or `addTransceiver`; the connection ends it."""
        return self._track

    def push(self, samples: Samples) -> None:
        """Queue one block, shape (960,); the oldest one is dropped when the connection does not keep up."""
        self._track.push(samples)

    def follow(self, sender: RTCRtpSender) -> None:
        """Protect against what the far end reports to be lost; `sender` is the one that sends this track.

        Raises:
            MediaError: aiortc's private names have changed.
        """
        on_loss_report(sender, self._reported)

    def expect_loss(self, percent: int) -> None:
        """Protect against `percent` (0 to 100) of the packets being lost."""
        self._track.encoder.expect_loss(percent)

    def _reported(self, share: float) -> None:
        before = self._loss.percent
        if self._loss.reported(share) != before:
            self.expect_loss(self._loss.percent)

    def set_bit_rate(self, bit_rate: int) -> None:
        """Use `bit_rate` bits per second from now on."""
        self._track.encoder.set_bit_rate(bit_rate)

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow: blocks pushed and dropped, packets and bytes sent; and the loss expected."""
        track = self._track
        return {
            "pushed": track.pushed,
            "dropped": track.dropped,
            "packets": track.packets,
            "bytes": track.bytes,
            "expected_loss_percent": self._loss.percent,
        }


class _OpusTrack(MediaStreamTrack):
    kind = "audio"

    def __init__(self, encoder: OpusEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.pushed = self.dropped = self.packets = self.bytes = 0
        self._unsent: Waiting[Samples] = Waiting(LONGEST_QUEUE)

    def push(self, samples: Samples) -> None:
        self.pushed += 1
        if self.readyState != "live":
            self.dropped += 1
            return
        if self._unsent.full:
            self._unsent.drop_oldest()
            self.dropped += 1
        self._unsent.put(samples)

    def stop(self) -> None:
        super().stop()
        self._unsent.close()

    async def recv(self) -> av.Packet[Any]:
        payload = self.encoder.encode(await self._unsent.get())
        packet = av.Packet(payload)
        packet.pts, packet.time_base = self.packets * BLOCK, _TIME_BASE
        self.packets += 1
        self.bytes += len(payload)
        return packet
