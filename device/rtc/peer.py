"""A peer connection with every mend applied that belongs to the connection as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from device.errors import MediaError
from device.messages.secret import Secret
from device.rtc.consent import nominate_in_consent
from device.rtc.inbound import take_at_once
from device.rtc.private import mangled

UNUSABLE_DESCRIPTION: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    InvalidAccessError,
    InvalidStateError,
    LookupError,
    OperationError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What aiortc raises, from many places, when an SDP makes no sense."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server as signalling names it (RFC 7064, RFC 7065)."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: Secret | None = None


def new_peer(
    ice_servers: Sequence[IceServer] = (), *, relay_only: bool = False, nominate_only_if_lite: bool = False
) -> RTCPeerConnection:
    """Return a connection that uses exactly `ice_servers` (aiortc's default STUN server never) and keeps its consent.

    Close it with `await peer.close()`. The first STUN and the first usable TURN address count (aiortc's limit).

    Raises:
        MediaError: aiortc's or aioice's private names have changed.
    """
    peer = RTCPeerConnection(
        RTCConfiguration(
            iceServers=[_aiortc_server(server) for server in ice_servers],
            iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
        )
    )
    _mend_transports(peer, nominate_only_if_lite)
    return peer


def only_opus(transceiver: RTCRtpTransceiver) -> None:
    """Offer nothing but Opus on this audio `transceiver`, because nothing else is sent or understood here."""
    _only(transceiver, "audio/opus")


def only_h264(transceiver: RTCRtpTransceiver) -> None:
    """Offer nothing but H.264 on this video `transceiver`, and to send again what was lost of it (RFC 4588)."""
    _only(transceiver, "video/h264", "video/rtx")


def _only(transceiver: RTCRtpTransceiver, *names: str) -> None:
    capabilities = RTCRtpSender.getCapabilities(transceiver.kind)
    codecs = [codec for codec in capabilities.codecs if codec.mimeType.lower() in names]
    if not codecs:
        raise MediaError(f"aiortc does not offer {names[0]}")
    transceiver.setCodecPreferences(codecs)


def _aiortc_server(server: IceServer) -> RTCIceServer:
    credential = None if server.credential is None else server.credential.reveal()
    return RTCIceServer(urls=list(server.urls), username=server.username, credential=credential)


def _mend_transports(peer: RTCPeerConnection, only_if_lite: bool) -> None:
    # Transports are made when tracks and channels are added, so it is their making that is wrapped, on this instance.
    name = mangled(peer, "createDtlsTransport")
    create = getattr(peer, name)

    def create_mended() -> Any:
        transport = create()
        connection = getattr(transport.transport, "_connection", None)
        if connection is None:
            raise MediaError("aiortc's RTCIceTransport has no _connection any more; use aiortc 1.16")
        nominate_in_consent(connection, only_if_lite=only_if_lite)
        take_at_once(transport, connection)
        return transport

    setattr(peer, name, create_mended)
