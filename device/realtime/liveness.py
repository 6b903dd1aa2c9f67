"""PURE. When a call that still looks connected is dead."""

from __future__ import annotations

from device.realtime.conversation import Turn
from device.realtime.settings import RealtimeSettings


def overdue(
    turn: Turn, *, now: float, event_at: float, packet_at: float | None, settings: RealtimeSettings
) -> str | None:
    """Return why the call must end, or None while something was heard recently enough for whose turn it is.

    All times are seconds on one monotonic clock; `packet_at` is when the last RTP packet came, if ever. While the
    device listens nothing need come: a healthy call was seen to be silent for 59 minutes.
    """
    if turn is Turn.SPEAKING and now - max(event_at, packet_at or event_at) > settings.silent_seconds:
        return f"media: neither sound nor event for {settings.silent_seconds:g} s while the assistant was speaking"
    if turn is Turn.THINKING and now - event_at > settings.answer_seconds:
        return f"media: no event for {settings.answer_seconds:g} s while an answer was expected"
    return None
