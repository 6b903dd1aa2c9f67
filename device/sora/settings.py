"""How the broadcast is sent."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from device.audio.opus import OpusSettings
from device.messages.settings import Settings

Seconds = Annotated[float, msgspec.Meta(gt=0, le=120)]


class BroadcastSettings(Settings, frozen=True):
    """The `[broadcast]` table: quality of the programme, and how long to wait for the service."""

    enabled: bool = True
    """Whether this robot may go on air at all."""
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    """Seconds by which observers hear, read and see everything late, so that it can be cut before; 0: not at all."""
    bit_rate: Annotated[int, msgspec.Meta(ge=6_000, le=128_000)] = 96_000
    """Opus, mono, bit/s: speech has PESQ-WB 3.4 at 64 kbit/s, 4.0 at 80 and 4.1 at 96, in about the same time (measured)."""
    complexity: Annotated[int, msgspec.Meta(ge=0, le=10)] = 5
    """Opus complexity; it counts where packets get lost: with copies in them speech has PESQ-WB 4.0 at 5 and
    3.4 at 3 (at 64 kbit/s)."""
    expected_loss_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 5
    """How much loss the forward error correction prepares for; below 6 there are no copies until some is reported."""
    packet_ms: Literal[20, 40, 60] = 20
    """Sound in one packet: longer ones are fewer, which saves processor time, and come that much later."""
    open_seconds: Seconds = 5.0
    """For each signalling address, until its websocket is open."""
    offer_seconds: Seconds = 10.0
    """From there until the service has sent its offer."""
    media_seconds: Seconds = 10.0
    """From the offer until the media is connected and the service has said so."""
    leave_seconds: Annotated[float, msgspec.Meta(gt=0, le=10)] = 3.0
    """From our goodbye until the service closes; the other SDKs wait as long."""
    picture: Literal["off", "captions", "character"] = "off"
    """Whether H.264 is sent beside the sound: captions and meters, or a character that speaks them, too."""
    picture_rate: Annotated[int, msgspec.Meta(ge=5, le=15)] = 10
    """Pictures per second."""
    picture_bit_rate: Annotated[int, msgspec.Meta(ge=50_000, le=2_000_000)] = 300_000
    """H.264, bit/s at most; most of the time it is less."""
    picture_encoder: Literal["libx264", "h264_v4l2m2m"] = "libx264"
    """`h264_v4l2m2m` is the hardware of a Pi up to 4; it was never tried."""
    picture_name: str = ""
    """The robot's name in the picture; empty: the one under which it is enrolled."""
    skin: str = ""
    """Folder with another character (docs/broadcast.md); empty: the built-in one."""
    font: str = ""
    """File of the font; empty: Noto Sans CJK where Debian has put it, else one without Japanese."""
    redirects: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5
    """How often the service may send us elsewhere in one connect."""


def programme(settings: BroadcastSettings) -> OpusSettings:
    """Return how the programme is encoded."""
    return OpusSettings(
        bit_rate=settings.bit_rate,
        complexity=settings.complexity,
        expected_loss_percent=settings.expected_loss_percent,
        packet_ms=settings.packet_ms,
    )
