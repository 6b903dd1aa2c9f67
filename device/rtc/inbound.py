"""The mend of aiortc's receiving side as a whole: sound is taken when it comes, not when a task gets to it.

aioice puts each datagram into a queue, and a task of aiortc takes it out in the loop's next round, which for 50 packets a
second is as much work as what it does with them. What is not RTP goes that way as before: DTLS, and RTCP, whose answers
may have to wait.
"""

from __future__ import annotations

import time

import pylibsrtp
from aioice import Connection
from aiortc.rtcdtlstransport import RTCDtlsTransport

from device.errors import MediaError
from device.rtc.private import at_once

_RTP = range(128, 192)  # the first byte, RFC 7983 §7
_RTCP = range(192, 224)  # the second, RFC 5761 §4


def take_at_once(transport: RTCDtlsTransport, connection: Connection) -> None:
    """Have RTP that comes in on `connection` go to the receivers of `transport` at once.

    Raises:
        MediaError: aiortc's or aioice's private names have changed.
    """
    for owner, name in ((transport, "_rx_srtp"), (transport, "_handle_rtp_data"), (connection, "data_received")):
        if not hasattr(owner, name):
            raise MediaError(f"{type(owner).__name__} has no {name} any more; use aiortc 1.16 and aioice 0.13")
    queue = connection.data_received

    def data_received(data: bytes, component: int) -> None:
        if transport.state == "connected" and is_rtp(data):
            _take(transport, data)
        else:
            queue(data, component)

    connection.data_received = data_received  # type: ignore[method-assign]  # the mend, on this instance only


def is_rtp(datagram: bytes) -> bool:
    """Tell a packet of sound or picture from all else that shares its port (RFC 7983, RFC 5761)."""
    return len(datagram) > 1 and datagram[0] in _RTP and datagram[1] not in _RTCP


def _take(transport: RTCDtlsTransport, data: bytes) -> None:
    srtp = transport._rx_srtp  # noqa: SLF001
    if srtp is None:
        return
    try:
        packet = srtp.unprotect(data)
    except pylibsrtp.Error:  # forged, damaged, or here for the second time
        return
    at_once(transport._handle_rtp_data(packet, arrival_time_ms=int(time.time() * 1000)))  # noqa: SLF001
