"""The mend of aiortc's sender: packets go out as they are made, and not through a task that waits for a track.

For 100 packets a second in two connections, aiortc's loop is a tenth of all processor time of a robot that talks. What it
does besides goes on: it starts and stops the sending, and tells the far end in RTCP what was sent.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiortc import RTCRtpSender
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from device.errors import MediaError
from device.rtc.packets import Element, RtpStream, ntp
from device.rtc.private import at_once, mangled, part

_COUNTED = ("ntp_timestamp", "rtp_timestamp", "octet_count", "packet_count")  # what goes into RTCP's sender reports


def send_by(sender: RTCRtpSender, drive: Callable[[Outbound], Awaitable[None]]) -> None:
    """Have `drive` do the sending of `sender` in place of aiortc's loop: from when it may send until it is cancelled.

    Raises:
        MediaError: aiortc's private names have changed.
    """
    for name in ("_run_rtp", "_ssrc", "_enabled"):
        if not hasattr(sender, name):
            raise MediaError(f"aiortc's RTCRtpSender has no {name} any more; use aiortc 1.16")
    outbound = Outbound(sender)

    async def run(codec: RTCRtpCodecParameters) -> None:
        with outbound.opened(codec):
            await drive(outbound)

    sender._run_rtp = run  # type: ignore[method-assign]  # noqa: SLF001 - the mend, of this instance only


class Outbound:
    """The way of one sender's packets into the network; made by `send_by`.

    Raises:
        MediaError: aiortc's private names have changed.
    """

    def __init__(self, sender: RTCRtpSender) -> None:
        self._sender = sender
        self._stream: RtpStream | None = None
        self._counted = [mangled(sender, name) for name in _COUNTED]
        self._octets = self._packets = 0

    @contextmanager
    def opened(self, codec: RTCRtpCodecParameters) -> Iterator[None]:
        """Be open while in the block, and tell aiortc when it begins and when it is over, as its own loop would."""
        sender = self._sender
        self._stream = self._begun(codec)
        part(sender, "rtp_started").set()
        try:
            yield
        finally:
            self._stream = None
            track = part(sender, "track")
            if track is not None:
                track.stop()
            part(sender, "rtp_exited").set()

    @property
    def wanted(self) -> bool:
        """Whether the direction that was agreed on lets this side send."""
        return self._stream is not None and bool(self._sender._enabled)  # noqa: SLF001

    def send(self, payload: bytes, samples: int) -> None:
        """Send one packet at once.

        Raises:
            ConnectionError: the transport is closed.
        """
        stream = self._stream
        if stream is None:
            raise ConnectionError("not open")
        now, timestamp = time.time(), stream.timestamp
        packet = stream.packet(payload, samples, now)
        if not at_once(self._sender.transport._send_rtp(packet)):  # noqa: SLF001
            raise ConnectionError("the transport waits before it sends")
        self._octets, self._packets = self._octets + len(payload), self._packets + 1
        for name, value in zip(self._counted, (ntp(now), timestamp, self._octets, self._packets), strict=True):
            setattr(self._sender, name, value)

    def _begun(self, codec: RTCRtpCodecParameters) -> RtpStream:
        sender = self._sender
        agreed = part(part(sender, "rtp_header_extensions_map"), "ids")
        mid = part(sender, "mid")
        elements: list[Element] = [(agreed.mid, mid.encode())] if mid and agreed.mid else []
        return RtpStream(
            sender._ssrc,  # noqa: SLF001
            codec.payloadType or 0,
            agreed.abs_send_time,
            elements,
            sequence=random.getrandbits(15),  # far from the wrap, which some receivers of SRTP take badly
            timestamp=random.getrandbits(32),
        )
