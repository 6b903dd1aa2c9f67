"""PURE. What the stand-in is like."""

from __future__ import annotations

from typing import Annotated

import msgspec

from device.messages.secret import Secret
from device.messages.settings import Settings


class StandInSettings(Settings, frozen=True):
    """The `[openai.stand_in]` table."""

    host: str = "127.0.0.1"
    """Where HTTP listens; the media too, or on every address of the machine where this is 0.0.0.0."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    """0 lets the system choose."""
    api_key: Secret = Secret("sk-kaiwa-stand-in")
    """The standard key it accepts. It opens nothing else."""
    strict_consent: bool = True
    """Ignore Binding requests without USE-CANDIDATE once a pair is nominated, as the real service has since 2026-05."""
    thinking_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.3
    """From the end of a turn to the first words of the answer."""
    word_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.03
    """Between two words of the answer; generation runs ahead of the sound, which has about 0.35 s a word."""
    session_seconds: Annotated[float, msgspec.Meta(gt=0)] = 3600.0
    """The longest session (60 minutes at the real service)."""
    opening_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """How long an answered call may take to open its data channel before it is dropped."""
    slow_seconds: Annotated[float, msgspec.Meta(ge=0)] = 10.0
    """How late the answer is when `HttpFault.SLOW` is set."""
    voice: str = "en-us+m3"
    """The voice of espeak-ng that the answers have."""
    words_per_minute: Annotated[int, msgspec.Meta(ge=80, le=450)] = 160
