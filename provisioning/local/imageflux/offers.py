"""PURE. The messages that the stand-in sends first to a client."""

from __future__ import annotations

from typing import Any

import msgspec

from provisioning.local.imageflux.channels import Card
from provisioning.local.imageflux.description import mids
from provisioning.local.imageflux.messages import AudioWish, Connect, VideoWish
from provisioning.local.imageflux.settings import StandInSettings


def offer(
    sdp: str,
    channel_id: str,
    card: Card,
    connect: Connect,
    settings: StandInSettings,
    data_channels: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the `offer` message; native clients demand `config` and all three keys of each ICE server in it."""
    return {
        "type": "offer",
        "sdp": sdp,
        "version": "stand-in",
        "multistream": True,
        "simulcast": False,
        "simulcast_multicodec": False,
        "spotlight": False,
        "channel_id": channel_id,
        "session_id": card.session_id,
        "client_id": card.client_id,
        "bundle_id": card.bundle_id,
        "connection_id": card.connection_id,
        "config": {
            "iceServers": [msgspec.to_builtins(server) for server in settings.ice_servers],
            "iceTransportPolicy": "relay" if settings.relay_only else "all",
        },
        "mid": mids(sdp),
        **_over_data_channels(connect, data_channels),
        **_media("audio", connect.audio),
        **_media("video", connect.video),
    }


def _over_data_channels(connect: Connect, described: list[dict[str, Any]]) -> dict[str, Any]:
    if not connect.data_channel_signaling:
        return {}
    return {
        "data_channel_signaling": True,
        "ignore_disconnect_websocket": bool(connect.ignore_disconnect_websocket),
        "data_channels": described,
    }


def _media(kind: str, wish: bool | AudioWish | VideoWish) -> dict[str, Any]:
    if isinstance(wish, bool):
        return {kind: wish}
    told: dict[str, Any] = {kind: True, f"{kind}_codec_type": wish.codec_type}
    return told if wish.bit_rate is None else told | {f"{kind}_bit_rate": wish.bit_rate}
