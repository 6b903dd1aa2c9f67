"""PURE. Whether a version on trial is well: everything that a visitor needs has gone on for a while without a break."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

WELL_SECONDS: Final = 20.0
"""As long as systemd's watchdog waits: what stands still is noticed within that time."""


class Health:
    """Remembers since when nothing was lacking."""

    def __init__(self) -> None:
        self._since: float | None = None

    def well(self, lacking: Sequence[str], now: float) -> bool:
        """Tell whether nothing was lacking for `WELL_SECONDS` until `now`, in monotonic seconds."""
        if lacking:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since >= WELL_SECONDS
