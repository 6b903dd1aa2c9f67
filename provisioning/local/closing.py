"""Closing aiortc's peer connections to the end: what a connection that comes up meanwhile has begun is ended, too.

aiortc 1.16 stops senders first and transports after; a connection that comes up in between starts to send, for ever.
aioice 0.13 begins to ask for consent on a connection that was closed within 20 ms of its last check.
"""

from __future__ import annotations

from aioice import Connection
from aiortc import RTCPeerConnection


async def close_wholly(peer: RTCPeerConnection) -> None:
    """Close `peer`, and everything that belongs to it."""
    for connection in _connections(peer):
        connection.query_consent = _ask_nothing  # type: ignore[method-assign]  # on this instance only, on purpose
    await peer.close()
    for transceiver in peer.getTransceivers():
        await transceiver.stop()
    if peer.sctp is not None:
        await peer.sctp.stop()


def _connections(peer: RTCPeerConnection) -> list[Connection]:
    transports = [transceiver.receiver.transport for transceiver in peer.getTransceivers()]
    transports += [] if peer.sctp is None else [peer.sctp.transport]
    return [transport.transport._connection for transport in transports]  # noqa: SLF001 - aiortc shows it nowhere


async def _ask_nothing() -> None:
    """Ask for no consent."""
