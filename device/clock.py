"""The wall clock, corrected by what the cloud says: a Pi has no battery-backed clock of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_SYNCHRONIZED: Final = "run/systemd/timesync/synchronized"
"""Made by systemd-timesyncd when it has set the clock (systemd-timesyncd.service(8))."""


def ntp_synchronized(root: Path = Path("/")) -> bool | None:
    """Return whether systemd-timesyncd has set the clock since the start; None where it does not run."""
    if not (root / _SYNCHRONIZED).parent.is_dir():
        return None
    return (root / _SYNCHRONIZED).exists()


class WallClock:
    """Unix seconds as the cloud counts them; the system's clock until the cloud has spoken.

    From then on it is counted on from what the cloud said: a system's clock that is set meanwhile, by NTP for one,
    moves nothing here.
    """

    def __init__(self) -> None:
        self._boot: float | None = None
        """Unix seconds at monotonic second 0, by the cloud."""

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return self.of_monotonic(time.monotonic())

    def correct(self, server_time: float) -> None:
        """Take over the cloud's time, in Unix seconds; half a round trip late, which no check of ours notices."""
        self._boot = server_time - time.monotonic()

    def of_monotonic(self, at: float) -> float:
        """Return the Unix seconds of a moment given in monotonic seconds."""
        boot = time.time() - time.monotonic() if self._boot is None else self._boot
        return boot + at
