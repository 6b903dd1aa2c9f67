"""PURE. When a speaker must be handed more: a moment before the call that would find too little.

The calls are foretold from the last one, by the clock, and go on in the reckoning when they do not come: a sound server
that was late makes up for them all at once, and what they take must be there. No clock but the speaker's paces what is
played, so nothing has to be left out or made up between two clocks, and what is played is decoded as late as can be.
"""

from __future__ import annotations

from typing import Final

from device.audio.block import RATE

SHORTEST_LEAD: Final = 0.005
"""Seconds before that call that are aimed at on a computer that is never late."""
LONGEST_LEAD: Final = 0.035
"""What the aim may grow to."""
LONGEST_OVERDUE: Final = 0.1
"""Seconds for which calls that do not come are believed to be under way."""

_YIELD: Final = 0.0005  # seconds by which a call that comes late moves the reckoning: 30 ms are believed after 0.6 s
_NARROW: Final = 0.001  # seconds from a refill to its call: less, and the aim grows, before the ring runs dry
_ENOUGH: Final = 0.002  # seconds that there should be then; what is more is given up again
_STEP: Final = 0.005  # seconds by which the aim grows when the ring ran dry, and shrinks
_EASE: Final = 30.0  # seconds without need of that after which it shrinks
_MOST_EASE: Final = 480.0  # each time it had to grow again the wait doubles, up to this
_BEGINNING: Final = 1.0  # seconds after the first call that teach nothing: an opened card calls in fits and starts


class Refill:
    """Foretells the calls of one speaker, and learns how late whoever refills the ring may be.

    Args:
        frames: samples in one call.
    """

    def __init__(self, frames: int) -> None:
        self.lead = SHORTEST_LEAD
        """Seconds before the call that would find too little at which more is due."""
        self._frames = frames
        self._called: tuple[int, float] | None = None  # samples, and when due; one object, for a thread writes it
        self._fed_at: float | None = None
        self._spare = LONGEST_LEAD  # least seconds from a refill to the call that needed it
        self._began: float | None = None
        self._underruns = 0
        self._changed_at = 0.0
        self._ease = _EASE

    def called(self, count: int, at: float) -> None:
        """Say that the speaker took `count` samples at the monotonic time `at`, from its own thread."""
        if self._fed_at is not None:
            self._spare, self._fed_at = min(self._spare, at - self._fed_at), None
        before = self._called
        self._called = (count, at if before is None else min(at, before[1] + before[0] / RATE + _YIELD))

    def fed(self, queued: int, now: float) -> None:
        """Say that more was given at `now`, when `queued` samples had been waiting."""
        if queued < self._frames:  # it is the next call that needs it
            self._fed_at = now

    def due(self, queued: int, now: float) -> float | None:
        """Return the seconds until more is due when `queued` samples wait, below 0 if it is late; None before any call."""
        if self._called is None:
            return None
        count, at = self._called
        in_hand = count + queued // self._frames * self._frames
        return in_hand / RATE - min(now - at, LONGEST_OVERDUE) - self.lead

    def judge(self, underruns: int, now: float) -> None:
        """Learn from how often the ring has run dry amid sound until `now`, and how nearly it did."""
        if self._began is None:
            self._began = self._changed_at = now
        ran_dry, self._underruns = underruns > self._underruns, underruns
        lacking = _STEP if ran_dry else _ENOUGH - self._spare if self._spare < _NARROW else 0.0
        if now - self._began < _BEGINNING:
            self._spare = LONGEST_LEAD
        elif lacking:
            self._ease = min(_MOST_EASE, 2 * self._ease) if ran_dry and self.lead > SHORTEST_LEAD else self._ease
            self._aim(self.lead + lacking, now)
        elif now - self._changed_at > self._ease:
            self._aim(self.lead - max(0.0, min(_STEP, self._spare - _ENOUGH)), now)

    def _aim(self, lead: float, now: float) -> None:
        self.lead = min(LONGEST_LEAD, max(SHORTEST_LEAD, lead))
        self._changed_at, self._spare = now, LONGEST_LEAD
