"""PURE. Whether media still comes: aiortc notices a dead network after about 29 s, people after three."""

from __future__ import annotations

from typing import Final

SILENCE_LIMIT: Final = 4.0
"""Seconds without a packet after which a call is given up."""


def silent_for(last_packet_at: float | None, opened_at: float, now: float) -> float:
    """Return for how many seconds nothing has come; all three are monotonic seconds."""
    heard = opened_at if last_packet_at is None else max(last_packet_at, opened_at)
    return max(0.0, now - heard)


def is_dead(last_packet_at: float | None, opened_at: float, now: float, limit: float = SILENCE_LIMIT) -> bool:
    """Tell whether nothing has come for longer than `limit` seconds."""
    return silent_for(last_packet_at, opened_at, now) > limit
