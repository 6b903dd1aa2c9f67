"""PURE. How long a packet should wait before it is played, learnt from when the packets come.

Two figures, both in seconds on the scale of `now`, decide:

- the lateness of a packet: its arrival minus its media time; by how much it exceeds the least of the last second is how
  long the network held the packet up. The longest of the last 14 s is the network's jitter, leaving out the worst fifth
  of a second, because a stall that comes alone is cheaper to conceal than to wait for;
- the offset of the playing: the time at which sound is handed to the speaker minus the media time of it.

Offset minus lateness is how long a packet waits. Wanted is that a packet held up by this jitter is there 5 ms before its
turn, and, at first and as long as packets get lost, that each waits for one frame and 5 ms: then a lost one can be decoded from the
copy inside the next. The speaker takes 10 ms at a time, so the wait can only be chosen in steps of that; sound that is
decoded but not handed out is of no use. Nothing here assumes that the sender's clock and the playing clock agree: drift
moves both figures slowly and is corrected like any other change.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from device.audio.block import CALL, CALL_SECONDS, RATE

FIRST_DELAY: Final = 0.040
"""Seconds that a packet waits until one second of the network has been seen."""
LONGEST_TARGET: Final = 0.200
"""Seconds of waiting beyond which jitter is treated as loss."""
LOSSY_FOR: Final = 10.0
"""Seconds after a lost packet for which more losses are waited for."""
LOSSY_AT_FIRST: Final = 5.0
"""Seconds for which a network that is not known yet is believed to lose packets: of 1 % one in twelve shows none in them."""

_MEMORY = 14.0  # seconds over which stalls are remembered
_BASELINE = 1.0  # seconds over which the least lateness is that of a packet which was not held up
_STALL = 0.2  # seconds of arrivals that are judged together
_EVIDENCE = 0.6  # seconds of lateness needed before the delay is corrected downwards
_DISCONTINUITY = 0.5  # seconds: a larger step is another clock, not jitter
_PATIENCE = 3.5  # seconds for which the delay that a stall has brought is kept
_STEP = 0.080  # seconds by which every packet of 0.2 s is later: the sender has paused, and its clock with it
_SLACK = 0.004  # seconds too short that are let be within a sentence: less than is kept for safety
_PLAY = 0.002  # seconds more than a call that are let be, so that nothing goes to and fro
_SAFETY = 0.005  # seconds: what an event loop is late by on a quiet computer


@dataclass(slots=True)
class _Arrivals:
    """Least and greatest lateness of what came within 0.2 s from `start`."""

    start: float
    least: float
    greatest: float
    held: float = 0.0
    """How long the network held up the one that came latest; known when the 0.2 s are over."""


class PlayoutDelay:
    """The delay that is aimed at, and how far the playing is from it."""

    def __init__(self) -> None:
        self.target = FIRST_DELAY
        """Seconds that a packet which was not held up on its way should wait."""
        self._arrivals: deque[_Arrivals] = deque()
        self._last = 0.0  # lateness of the last packet
        self._clock: deque[float] = deque(maxlen=50)  # of each tick: now minus the seconds handed out before it
        self._handed = 0  # samples
        self._now = 0.0
        self._lossy_until: float | None = None
        self._stalled_at = -_PATIENCE  # when a packet last came too late for the target

    def arrived(self, now: float, timestamp: int, frame: int) -> None:
        """Learn from a packet of `frame` samples and unwrapped `timestamp` that came at `now`."""
        late = now - timestamp / RATE
        if self._arrivals and abs(late - self._last) > _DISCONTINUITY:
            self.forget()
        self._last = late
        self._remember(now, late)
        if late - self._least() > self.target:
            self._stalled_at = now
        if self._lossy_until is None:
            self._lossy_until = now + LOSSY_AT_FIRST
        for_a_copy = frame / RATE if now < self._lossy_until else 0.0
        wanted = max(for_a_copy, self._spread()) + _SAFETY
        if self._seasoned() or wanted > self.target:
            self.target = min(wanted, LONGEST_TARGET)

    def tick(self, now: float) -> None:
        """Say that what comes next is being handed out at `now`."""
        self._now = now
        self._clock.append(now - self._handed / RATE)

    def handed(self, samples: int) -> None:
        """Say that this was so many samples."""
        self._handed += samples

    def lost(self) -> None:
        """Say that a packet is missing in what is handed out now."""
        self._lossy_until = self._now + LOSSY_FOR

    def forget(self) -> None:
        """Drop what was learnt about lateness, because the media clock begins anew; the target stays."""
        self._arrivals.clear()

    def waiting(self, position: int) -> float:
        """Return how many seconds a packet waits that was not held up, if media time `position` is handed out now."""
        if not self._arrivals or not self._clock:
            return 0.0
        offset = min(self._clock) + self._handed / RATE - position / RATE
        return offset - self._least()

    def surplus(self, position: int, pending: int, *, at_leisure: bool) -> int:
        """Return how many samples to leave out (or, below 0, to add) so that packets wait as long as they should.

        It is asked at the turn of the packet with media time `position`, while `pending` samples are decoded but not
        handed out; `at_leisure` is true in a long pause, in which more is made good than must be. 0 until enough is known,
        and not above 0 within 3.5 s of a stall, because stalls are seldom alone.
        """
        if not self._seasoned() or not self._clock:
            return 0
        excess = self.waiting(position) - self.target
        if excess < (0.0 if at_leisure else -_SLACK):
            return pending - CALL * math.ceil(-excess / CALL_SECONDS)
        if self._now - self._stalled_at < _PATIENCE:
            return 0
        return pending + CALL * max(0, math.floor((excess - _PLAY) / CALL_SECONDS))

    def _remember(self, now: float, late: float) -> None:
        if not self._arrivals or now >= self._arrivals[-1].start + _STALL:
            self._judge()
            self._arrivals.append(_Arrivals(now, late, late))
        last = self._arrivals[-1]
        last.least, last.greatest = min(last.least, late), max(last.greatest, late)
        while self._arrivals[0].start < now - _MEMORY:
            self._arrivals.popleft()

    def _judge(self) -> None:
        """Tell a network that held packets up from a sender that paused, now that 0.2 s are over."""
        if not self._arrivals:
            return
        last, least = self._arrivals[-1], self._least()
        if last.least - least > _STEP:
            self._arrivals = deque([last])
            least = last.least
        last.held = last.greatest - least

    def _least(self) -> float:
        since = self._arrivals[-1].start - _BASELINE
        return min(arrivals.least for arrivals in self._arrivals if arrivals.start >= since)

    def _spread(self) -> float:
        held = sorted(arrivals.held for arrivals in self._arrivals)
        return held[-2] if len(held) > 1 else 0.0

    def _seasoned(self) -> bool:
        return bool(self._arrivals) and self._arrivals[-1].start - self._arrivals[0].start >= _EVIDENCE
