"""PURE. Whether a version on trial is well: everything that a visitor needs has gone on for a while without a break."""

from __future__ import annotations

from collections.abc import Sequence


class Health:
    """Remembers since when nothing was lacking; `seconds` of that are enough."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def well(self, lacking: Sequence[str], now: float) -> bool:
        """Tell whether nothing was lacking long enough until `now`, in monotonic seconds."""
        if lacking:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since >= self._seconds
