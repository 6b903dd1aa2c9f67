"""The wall clock, corrected by what the cloud says: a Pi has no battery-backed clock of its own."""

from __future__ import annotations

import time


class WallClock:
    """Unix seconds as the cloud counts them; the system's clock until the cloud has spoken."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """Return the time in Unix seconds."""
        return time.time() + self.offset

    def correct(self, server_time: float) -> None:
        """Take over the cloud's time, in Unix seconds; half a round trip late, which no check of ours notices."""
        self.offset = server_time - time.time()

    def of_monotonic(self, at: float) -> float:
        """Return the Unix seconds of a moment given in monotonic seconds."""
        return self.now() - (time.monotonic() - at)
