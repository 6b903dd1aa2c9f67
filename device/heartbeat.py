"""PURE. Whether everything that must go on in a living robot goes on: blocks captured, played, sent, broadcast.

A process that runs and a loop that turns prove nothing to a visitor; what they would miss is counted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PATIENCE: Final[Mapping[str, float]] = {"captured": 3.0, "played": 3.0, "sent": 30.0, "broadcast": 30.0}
"""Seconds for which each may stand still. Call and broadcast notice a lost network themselves, sooner than this, and end
or begin anew; what still stands then is stuck."""


class Heartbeat:
    """Remembers when each count last changed."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}

    def stalled(self, progress: Mapping[str, float | None], now: float) -> list[str]:
        """Return which of `progress` stand still; None for what need not go on now. `now` in monotonic seconds.

        A count that changes in any way goes on: a new connection begins to count anew.
        """
        found = list[str]()
        for name, count in progress.items():
            if count is None:
                self._seen.pop(name, None)
                continue
            before, since = self._seen.get(name, (None, now))
            if count != before:
                since = now
            self._seen[name] = (count, since)
            if now - since >= PATIENCE[name]:
                found.append(name)
        return found
