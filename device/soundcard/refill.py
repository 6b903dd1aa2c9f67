"""PURE. When a speaker must be handed more: a moment before the call that would find too little.

The calls are foretold from the last one, by the clock, and go on in the reckoning when they do not come: a sound server
that was late makes up for them all at once, and what they take must be there. No clock but the speaker's paces what is
played, so nothing has to be left out or made up between two clocks, and what is played is decoded as late as can be.
"""

from __future__ import annotations

from typing import Final

from device.audio.block import RATE

SHORTEST_LEAD: Final = 0.005
"""Seconds before that call that are aimed at: an event loop that is 4 ms late is in time."""
LONGEST_LEAD: Final = 0.035
"""What the aim may grow to after the ring ran dry."""
LONGEST_OVERDUE: Final = 0.1
"""Seconds for which calls that do not come are believed to be under way."""

_STEP: Final = 0.005  # seconds by which the aim grows when the ring ran dry
_EASE: Final = 30.0  # seconds without that after which it shrinks by as much
_MOST_EASE: Final = 480.0  # each time it had to grow again the wait doubles, up to this
_BEGINNING: Final = (
    1.0  # seconds after the first call that teach nothing: a card that is opened calls in fits and starts
)


class Refill:
    """Foretells the calls of one speaker.

    Args:
        frames: samples in one call.
    """

    def __init__(self, frames: int) -> None:
        self.lead = SHORTEST_LEAD
        """Seconds before the call that would find too little at which more is due."""
        self._frames = frames
        self._called: tuple[int, float] | None = None  # one object, because another thread writes it
        self._began: float | None = None
        self._underruns = 0
        self._changed_at = 0.0
        self._ease = _EASE

    def called(self, count: int, at: float) -> None:
        """Say that the speaker took `count` samples at the monotonic time `at`, from its own thread."""
        self._called = (count, at)

    def due(self, queued: int, now: float) -> float | None:
        """Return the seconds until more is due when `queued` samples wait, below 0 if it is late; None before any call."""
        if self._called is None:
            return None
        count, at = self._called
        in_hand = count + queued // self._frames * self._frames
        return in_hand / RATE - min(now - at, LONGEST_OVERDUE) - self.lead

    def judge(self, underruns: int, now: float) -> None:
        """Learn from how often the ring has run dry amid sound until `now`."""
        if self._began is None:
            self._began = self._changed_at = now
        ran_dry, self._underruns = underruns > self._underruns, underruns
        if ran_dry and now - self._began > _BEGINNING:
            self._ease = min(_MOST_EASE, 2 * self._ease) if self.lead > SHORTEST_LEAD else self._ease
            self.lead, self._changed_at = min(LONGEST_LEAD, self.lead + _STEP), now
        elif self.lead > SHORTEST_LEAD and now - self._changed_at > self._ease:
            self.lead, self._changed_at = max(SHORTEST_LEAD, self.lead - _STEP), now
