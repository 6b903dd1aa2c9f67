"""PURE. Identifiers in the shapes of the real ones."""

from __future__ import annotations

import secrets
import string
from typing import Final

_BASE62: Final = string.ascii_letters + string.digits


def _base62(length: int) -> str:
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def identifier(kind: str) -> str:
    """Return a fresh id such as `event_…`, `sess_…`, `conv_…`, `item_…`, `resp_…`: 21 base-62 digits."""
    return f"{kind}_{_base62(21)}"


def tool_call_id() -> str:
    """Return the id of a call of a tool: `call_` and 16 base-62 digits."""
    return f"call_{_base62(16)}"


def playback_event_id() -> str:
    """Return an event id as `output_audio_buffer.*` events have it: 16 hex digits."""
    return f"event_{secrets.token_hex(8)}"


def call_id() -> str:
    """Return the id of a call: `rtc_u1_` and 32 hex digits."""
    return f"rtc_u1_{secrets.token_hex(16)}"


def ephemeral_key() -> str:
    """Return an ephemeral key: `ek_` and 32 hex digits."""
    return f"ek_{secrets.token_hex(16)}"


def ice_fragment() -> str:
    """Return an ICE username fragment with slashes in it: the real one is a relay's routing key."""
    return f"{_base62(6)}/{_base62(2)}/{_base62(8)}"
