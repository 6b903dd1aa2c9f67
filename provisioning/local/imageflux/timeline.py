"""PURE. Where a publisher's packets lie on the programme's own clock, and the silence between them.

While packets come, they are the clock: each is placed by its RTP timestamp, so a late network changes nothing that is
heard. When none came for `PATIENCE`, the wall clock takes over and the programme goes on with silence, so that a
playlist never stalls. Time is in seconds, everything else in samples of 48 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RATE: Final = 48_000
PATIENCE: Final = 0.2
"""Silence is made only when no packet came for so long; it must exceed the network's jitter."""
FURTHEST: Final = RATE
"""A timestamp further than this from where it belongs is a new beginning, not a gap."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do for one packet: append so many zeros, then its samples without the first `skip`."""

    silence: int
    skip: int


class Timeline:
    """The programme of one publisher, from `now` on; feed it packets in order and ask for silence regularly."""

    def __init__(self, now: float) -> None:
        self.position = 0
        """Samples of the programme so far."""
        self._offset: int | None = None
        self._heard_at = now
        self._heard_position = 0

    def place(self, timestamp: int, samples: int, now: float) -> Placement:
        """Return where a packet of `samples` samples with an (unwrapped) RTP timestamp goes."""
        if self._offset is None or abs(timestamp + self._offset - self.position) > FURTHEST:
            self._offset = max(self.position, self._clock(now) - samples) - timestamp
        gap = timestamp + self._offset - self.position
        placed = Placement(silence=max(0, gap), skip=min(samples, max(0, -gap)))
        self.position += placed.silence + samples - placed.skip
        self._heard_at, self._heard_position = now, self.position
        return placed

    def silence_due(self, now: float) -> int:
        """Return how many zeros the programme needs now, and count them as appended."""
        due = self._clock(now - PATIENCE) - self.position
        if due <= 0:
            return 0
        self.position += due
        return due

    def _clock(self, now: float) -> int:
        return self._heard_position + round((now - self._heard_at) * RATE)


class Unwrapped:
    """RTP timestamps (32 bit, RFC 3550 section 5.1) as numbers that do not wrap."""

    def __init__(self) -> None:
        self._last: int | None = None

    def __call__(self, timestamp: int) -> int:
        """Return the number nearest to the last one that has these low 32 bits."""
        if self._last is not None:
            timestamp = self._last + ((timestamp - self._last + (1 << 31)) % (1 << 32)) - (1 << 31)
        self._last = timestamp
        return timestamp
