"""The first connection of a process pays for what the libraries load and compile at their first use: 20 ms on a PC.

That is paid here, when the robot starts, and not by a visitor who has pressed the button or by observers who wait.
"""

from __future__ import annotations

from aiortc import RTCCertificate, RTCPeerConnection
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.sdp import SessionDescription

from device.errors import MediaError
from device.rtc.peer import new_peer


async def warm_up() -> None:
    """Do once what every connection does before it can send: certificate, DTLS context, an offer written and read.

    Raises:
        MediaError: aiortc's private names have changed.
    """
    peer = new_peer()
    try:
        peer.addTransceiver("audio", "sendonly")
        await _read(peer)
        _open_dtls()
    finally:
        await peer.close()


async def _read(peer: RTCPeerConnection) -> None:
    offer = await peer.createOffer()
    for media in SessionDescription.parse(offer.sdp).media:
        str(media)


def _open_dtls() -> None:
    certificate = RTCCertificate.generateCertificate()
    if not hasattr(certificate, "_create_ssl_context"):
        raise MediaError("aiortc's RTCCertificate has no _create_ssl_context any more; use aiortc 1.16")
    certificate._create_ssl_context(SRTP_PROFILES)  # noqa: SLF001 - where OpenSSL is loaded, at the first use
