"""The mend of aiortc's receiving side: RTP packets go to our own jitter buffer and libopus.

aiortc 1.16 counts packets instead of time, so one lost packet stalls its audio for 300 ms and leaves it 200 ms late for
ever, and nothing conceals it. Here the receiver's jitter buffer, one private attribute of one instance, is replaced by
a tap that hands every packet on and never returns a frame: RTCP statistics go on, aiortc's decoder has nothing to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from aiortc import RTCRtpReceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import RtpPacket

from device.audio.block import Samples
from device.audio.reception import Reception
from device.rtc.private import mangled, part

_log = logging.getLogger(__name__)

_JITTER_BUFFER: Final = "jitter_buffer"


class VoiceReceiver:
    """A `BlockSource` that plays the Opus voice of one RTP receiver.

    Args:
        clock: monotonic seconds; the arrival of packets and the pulls are measured with it.

    Raises:
        CodecError: libopus is missing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.last_packet_at: float | None = None
        """Monotonic seconds of the last Opus packet; what a media watchdog looks at."""
        self._clock = clock
        self._reception = Reception()
        self._ssrc: int | None = None
        self._foreign = 0

    def attach(self, receiver: RTCRtpReceiver) -> None:
        """Take the packets of `receiver` from now on; call it as soon as the transceiver exists.

        Raises:
            MediaError: aiortc's private names have changed.
        """
        codecs: Mapping[int, RTCRtpCodecParameters] = part(receiver, "codecs")
        setattr(receiver, mangled(receiver, _JITTER_BUFFER), _Tap(codecs, self._take))

    def pull(self) -> Samples:
        """Return the next 20 ms, shape (960,): decoded, concealed, or silence."""
        return self._reception.pull(self._clock())

    def flush(self) -> None:
        """Drop what waits to be played; the next block is silent."""
        self._reception.flush()

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, and the wanted and actual delay in milliseconds."""
        return {**self._reception.counters(), "foreign": self._foreign}

    def _take(self, packet: RtpPacket, is_opus: bool) -> None:
        if not is_opus:
            self._foreign += 1
            return
        if packet.ssrc != self._ssrc:
            _log.debug("voice comes from SSRC %s", packet.ssrc)
            self._reception.restart()
            self._ssrc = packet.ssrc
        self.last_packet_at = self._clock()
        self._reception.put(packet.sequence_number, packet.timestamp, packet.payload, self.last_packet_at)


class _Tap:
    """What stands in for aiortc's jitter buffer."""

    def __init__(self, codecs: Mapping[int, RTCRtpCodecParameters], take: Callable[[RtpPacket, bool], None]) -> None:
        self._codecs, self._take = codecs, take

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Hand on `packet`; answer that no picture is wanted and that no frame is complete."""
        codec = self._codecs.get(packet.payload_type)
        self._take(packet, codec is not None and codec.mimeType.lower() == "audio/opus")
        return False, None
