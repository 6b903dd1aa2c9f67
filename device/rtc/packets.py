"""PURE. The RTP packets of one voice (RFC 3550 §5.1), with the header extensions that were agreed on (RFC 8285)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

_VERSION, _EXTENDED, _MARKER = 0x80, 0x10, 0x80
_ONE_BYTE, _TWO_BYTES = 0xBEDE, 0x1000  # profiles of extensions, RFC 8285 §4.2 and §4.3
_NTP_EPOCH: Final = 2_208_988_800  # seconds from 1900, where NTP begins to count, to 1970

Element = tuple[int, bytes]
"""The number that was agreed on for a header extension, and its value."""


class RtpStream:
    """Writes the packets of one stream, one after the other.

    Args:
        ssrc: 32 bits, the stream's name.
        payload_type: 7 bits, of the codec.
        send_time: the number of the extension that tells when a packet was sent (`abs-send-time`); None: not agreed on.
        elements: header extensions that are the same in every packet.
        sequence: 16 bits, of the first packet.
        timestamp: 32 bits, of the first packet.
    """

    def __init__(
        self,
        ssrc: int,
        payload_type: int,
        send_time: int | None = None,
        elements: Sequence[Element] = (),
        *,
        sequence: int,
        timestamp: int,
    ) -> None:
        self.timestamp = timestamp
        """Of the next packet, 32 bits."""
        self._ssrc, self._payload_type, self._sequence = ssrc, payload_type, sequence
        self._marker = _MARKER  # only on the first packet of a talk, RFC 3551 §4.1
        timed = [] if send_time is None else [(send_time, bytes(3))]
        self._before, self._after = _around_first_value(_laid_out([*timed, *elements]), timed=bool(timed))
        self._timed = bool(timed)

    def packet(self, payload: bytes, samples: int, now: float) -> bytes:
        """Return the next packet: the `payload` of so many `samples`, sent at `now`, seconds since 1970."""
        header = struct.pack(
            "!BBHLL",
            _VERSION | (_EXTENDED if self._before else 0),
            self._marker | self._payload_type,
            self._sequence,
            self.timestamp,
            self._ssrc,
        )
        self._marker = 0
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + samples) & 0xFFFFFFFF
        sent = _seconds_6_18(now) if self._timed else b""
        return b"".join((header, self._before, sent, self._after, payload))


def ntp(now: float) -> int:
    """Return `now`, seconds since 1970, as an NTP timestamp of 64 bits (RFC 3550 §4)."""
    return int((now + _NTP_EPOCH) * (1 << 32))


def _seconds_6_18(now: float) -> bytes:
    """Return a time as `abs-send-time` wants it: seconds modulo 64 in 24 bits, 18 of them behind the point."""
    return (int((now + _NTP_EPOCH) * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")


def _laid_out(elements: Sequence[Element]) -> bytes:
    """Return the extension of a header with `elements` in it, in the form of one byte if they fit into that."""
    if not elements:
        return b""
    short = all(number < 15 and 0 < len(value) <= 16 for number, value in elements)
    if short:
        body = b"".join(bytes([number << 4 | len(value) - 1]) + value for number, value in elements)
    else:
        body = b"".join(bytes([number, len(value)]) + value for number, value in elements)
    words = -(-len(body) // 4)
    return struct.pack("!HH", _ONE_BYTE if short else _TWO_BYTES, words) + body.ljust(4 * words, b"\0")


def _around_first_value(extension: bytes, *, timed: bool) -> tuple[bytes, bytes]:
    """Return what stands before and after the three bytes of the time, which come first; everything without a time."""
    if not timed:
        return extension, b""
    start = 5 if extension[0] == _ONE_BYTE >> 8 else 6
    return extension[:start], extension[start + 3 :]
