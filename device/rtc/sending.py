"""The sending end of one voice: encoded by our own libopus, instead of aiortc's 96 kbit/s stereo without FEC."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final, Never

import numpy as np
from aiortc import MediaStreamTrack, RTCRtpSender
from aiortc.mediastreams import MediaStreamError

from device.audio.block import BLOCK, RATE, Samples
from device.audio.opus import Application, OpusEncoder, OpusSettings
from device.rtc.losses import ExpectedLoss, on_loss_report
from device.rtc.outbound import Outbound, send_by
from device.rtc.private import part

LONGEST_QUEUE: Final = 10
"""Blocks that wait for the connection to be up at most: 200 ms."""


class OpusSender:
    """A `BlockSink` that sends what is pushed as one mono Opus voice, by the sender that it is attached to.

    Raises:
        CodecError: libopus is missing or refuses the settings.
    """

    def __init__(self, settings: OpusSettings | None = None, application: Application = Application.VOIP) -> None:
        settings = settings or OpusSettings()
        self._encoder = OpusEncoder(
            application=application,
            bit_rate=settings.bit_rate,
            complexity=settings.complexity,
            expected_loss_percent=settings.expected_loss_percent,
        )
        self._loss = ExpectedLoss(settings.expected_loss_percent)
        self._sender: RTCRtpSender | None = None
        self._track = _Voice()
        self._outbound: Outbound | None = None
        self._unsent: deque[Samples] = deque()
        self._gathered: list[Samples] = []
        self.blocks_in_packet = settings.packet_ms * RATE // (1000 * BLOCK)
        """How many blocks become one packet."""
        self._pushed = self._dropped = self._packets = self._bytes = self._acknowledged = 0
        self._highest: int | None = None  # the last that the far end has told of

    @property
    def track(self) -> MediaStreamTrack:
        """The track to give to `addTrack` or `addTransceiver`; the connection ends it."""
        return self._track

    def attach(self, sender: RTCRtpSender) -> None:
        """Send by `sender`, which has this track; call it as soon as there is one.

        What the far end reports to be lost is protected against from then on.

        Raises:
            MediaError: aiortc's private names have changed.
        """
        send_by(sender, self._drive)
        on_loss_report(sender, self._reported)
        part(sender, "rtt")
        self._sender = sender

    @property
    def round_trip(self) -> float | None:
        """Seconds to the far end and back, as its receiver reports let them be known (RFC 3550 §6.4.1); None before any."""
        seconds: float | None = None if self._sender is None else part(self._sender, "rtt")
        return seconds

    def push(self, samples: Samples) -> None:
        """Send one block, shape (960,); until the connection is up the newest wait, after its end they are dropped."""
        self._pushed += 1
        if self._track.readyState != "live":
            self._dropped += 1
        elif self._outbound is None:
            self._wait(samples)
        elif self._outbound.wanted:
            self._gather(self._outbound, samples)

    def expect_loss(self, percent: int) -> None:
        """Protect against `percent` (0 to 100) of the packets being lost."""
        self._encoder.expect_loss(percent)

    def set_bit_rate(self, bit_rate: int) -> None:
        """Use `bit_rate` bits per second from now on."""
        self._encoder.set_bit_rate(bit_rate)

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, `acknowledged` by the far end's reports; the loss expected; whether it is `over`."""
        return {
            "pushed": self._pushed,
            "dropped": self._dropped,
            "packets": self._packets,
            "bytes": self._bytes,
            "acknowledged": self._acknowledged,
            "expected_loss_percent": self._loss.percent,
            "over": self._track.readyState == "ended",
        }

    def _wait(self, samples: Samples) -> None:
        if len(self._unsent) >= LONGEST_QUEUE:
            self._unsent.popleft()
            self._dropped += 1
        self._unsent.append(samples)

    def _gather(self, outbound: Outbound, samples: Samples) -> None:
        if self.blocks_in_packet == 1:
            self._send(outbound, samples)
            return
        self._gathered.append(samples)
        if len(self._gathered) == self.blocks_in_packet:
            packet, self._gathered = np.concatenate(self._gathered), []
            self._send(outbound, packet)

    def _send(self, outbound: Outbound, samples: Samples) -> None:
        payload = self._encoder.encode(samples)
        try:
            outbound.send(payload, samples.size)
        except ConnectionError:
            self._dropped += self.blocks_in_packet
            return
        self._packets += 1
        self._bytes += len(payload)

    async def _drive(self, outbound: Outbound) -> None:
        self._outbound = outbound
        with contextlib.suppress(asyncio.CancelledError):  # how aiortc ends its own loop, which does not pass it on
            while self._unsent and outbound.wanted:
                self._gather(outbound, self._unsent.popleft())
            await self._track.ended.wait()
        self._unsent.clear()

    def _reported(self, share: float, highest: int) -> None:
        self._acknowledged += highest != self._highest
        self._highest = highest
        before = self._loss.percent
        if self._loss.reported(share) != before:
            self.expect_loss(self._loss.percent)


class _Voice(MediaStreamTrack):
    """What stands for the voice in the description of a session; nothing is taken from it."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()

    def stop(self) -> None:
        super().stop()
        self.ended.set()

    async def recv(self) -> Never:
        raise MediaStreamError
