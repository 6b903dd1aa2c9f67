"""How the broadcast is sent."""

from __future__ import annotations

from typing import Annotated

import msgspec

from device.messages.settings import Settings

Seconds = Annotated[float, msgspec.Meta(gt=0, le=120)]


class BroadcastSettings(Settings, frozen=True):
    """The `[broadcast]` table: quality of the programme, and how long to wait for the service."""

    enabled: bool = True
    """Whether this robot may go on air at all."""
    bit_rate: Annotated[int, msgspec.Meta(ge=6_000, le=128_000)] = 64_000
    """Opus, mono, bit/s."""
    complexity: Annotated[int, msgspec.Meta(ge=0, le=10)] = 5
    """Opus complexity; 10 costs about a third more time than 5."""
    expected_loss_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5
    """How much loss the forward error correction prepares for."""
    open_seconds: Seconds = 5.0
    """For each signalling address, until its websocket is open."""
    offer_seconds: Seconds = 10.0
    """From there until the service has sent its offer."""
    media_seconds: Seconds = 10.0
    """From the offer until the media is connected and the service has said so."""
    leave_seconds: Annotated[float, msgspec.Meta(gt=0, le=10)] = 3.0
    """From our goodbye until the service closes; the other SDKs wait as long."""
    redirects: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5
    """How often the service may send us elsewhere in one connect."""
