"""The two directions of one sound card, whoever drives them: its threads on one side, the event loop on the other.

The card's threads only copy. What the microphone heard crosses into the event loop once for each 20 ms, and is paired
there with what the speaker was handed, because by then the other thread mostly has had its turn; where it has not,
the block waits a few milliseconds until it has, so that what is heard elsewhere has no holes. Whoever plays is asked for
more by the speaker's clock, as late as it can be given in time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

import numpy as np

from device.audio.block import BLOCK, RATE, Block, Samples
from device.soundcard.card import Deliver, Feed
from device.soundcard.lag import LoopLag
from device.soundcard.refill import Refill
from device.soundcard.ring import SpeakerRing
from device.soundcard.tap import Tap

PENDING: Final = 25
"""Blocks (half a second) that may wait for a busy event loop; what comes then is dropped and counted."""

PATIENCE: Final = 0.012
"""Seconds after its capture that a block waits for its pair: one late call of the speaker, and no more."""

LOOK: Final = 0.005
"""Seconds between two looks at the ring until the speaker has called for the first time."""

SOON: Final = 0.001
"""Seconds between two looks at least: more is asked for no more often, whoever plays gives too little."""


class Duplex:
    """Speaker ring, tap and microphone blocks of one open card; made in the event loop that gets the blocks.

    Whoever only plays what is ready from the beginning has no need of `feed`.
    """

    def __init__(self, deliver: Deliver, frames: int, feed: Feed | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self.ring = SpeakerRing()
        self._tap = Tap(frames)
        self._lag = LoopLag()
        self._filling = np.empty(BLOCK, np.int16)
        self._filled = 0
        self._heard = 0
        self._posted = 0
        self._arrived = 0
        self._waiting: deque[tuple[Samples, int, float]] = deque()
        self._awaited = False  # whether a block waits for the speaker's next call
        self._overdue: asyncio.TimerHandle | None = None
        self._dropped = 0
        self._open = True
        self._spoken = 0
        self._refill = Refill(frames)
        self._feed = feed
        self._filling_up = self._loop.call_soon(self._fill) if feed else None
        self.input_xruns = 0
        """Times the card lost what it had captured because it was not fetched in time."""
        self.output_xruns = 0
        """Times the card had to play a gap because it was not fed in time."""

    def speak(self, count: int, at: float) -> bytes:
        """Return the next `count` samples, int16, for the speaker, in its thread, called at the monotonic time `at`."""
        samples = self.ring.pull(count)
        self._spoken += count
        self._refill.called(count, at)
        self._tap.write(samples, at)
        if self._awaited:
            self._awaited = False
            self._loop.call_soon_threadsafe(self._hand_on)  # FROM THE SOUND CARD'S THREAD
        return samples

    def hear(self, samples: Samples, at: float) -> None:
        """Take what the microphone captured until the monotonic time `at`, shape (n,), in its thread; keep the array."""
        if len(samples) == BLOCK and not self._filled:
            self._post(samples, at)
            return
        while len(samples):
            fitting = samples[: BLOCK - self._filled]
            self._filling[self._filled : self._filled + len(fitting)] = fitting
            self._filled += len(fitting)
            samples = samples[len(fitting) :]
            if self._filled == BLOCK:
                full, self._filling, self._filled = self._filling, np.empty(BLOCK, np.int16), 0
                self._post(full, at - len(samples) / RATE)

    def _post(self, full: Samples, at: float) -> None:
        position, self._heard = self._heard, self._heard + BLOCK
        if self._posted - self._arrived >= PENDING:
            self._dropped += 1
        elif self._open:
            self._posted += 1
            posted = time.monotonic()
            self._loop.call_soon_threadsafe(self._arrive, full, position, at, posted)  # FROM THE SOUND CARD'S THREAD

    def _arrive(self, captured: Samples, position: int, at: float, posted: float) -> None:
        self._lag.add(time.monotonic() - posted)
        self._arrived += 1
        self._waiting.append((captured, position, at))
        self._hand_on()

    def _hand_on(self) -> None:
        while self._open and self._waiting:
            captured, position, at = self._waiting[0]
            patience = at + PATIENCE - time.monotonic()
            if patience > 0.0 and self._must_wait(position):
                self._await_speaker(patience)
                return
            self._waiting.popleft()
            self._deliver(Block(captured, self._tap.pair(position, BLOCK, at), at))

    def _must_wait(self, position: int) -> bool:
        """Tell whether the speaker is still to be handed the pair of a block; if so, its next call says so."""
        self._awaited = self._tap.lacks(position, BLOCK)
        if self._awaited and not self._tap.lacks(position, BLOCK):  # it was handed between the two looks
            self._awaited = False
        return self._awaited

    def _await_speaker(self, seconds: float) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        self._overdue = self._loop.call_later(seconds, self._hand_on)

    def _fill(self) -> None:
        """Ask for more if it is due, and look again when it will be."""
        now = time.monotonic()
        queued = self.ring.queued
        self._refill.judge(self.ring.underruns, now)
        due = self._refill.due(queued, now)
        if due is not None and due <= 0.0 and self._feed is not None:
            self._feed()
            self._refill.fed(queued, time.monotonic())
            due = self._refill.due(self.ring.queued, now)
        self._filling_up = self._loop.call_at(now + (LOOK if due is None else max(SOON, due)), self._fill)

    def close(self) -> None:
        """Deliver nothing more and ask for nothing more, whatever is still under way."""
        self._open = False
        for handle in (self._overdue, self._filling_up):
            if handle is not None:
                handle.cancel()

    @property
    def progress(self) -> tuple[int, int]:
        """Blocks heard and samples spoken so far."""
        return self._arrived, self._spoken

    def counters(self) -> dict[str, float]:
        """Return what every card counts."""
        return {
            "blocks": self._arrived,
            "spoken": self._spoken,
            "blocks_dropped": self._dropped,
            "input_xruns": self.input_xruns,
            "output_xruns": self.output_xruns,
            "speaker_underruns": self.ring.underruns,
            "speaker_overflowed": self.ring.overflowed,
            "speaker_lead_ms": self._refill.lead * 1000,
            "pair_missing": self._tap.missing,
            "pair_drift": self._tap.drift,
            "pair_jumps": self._tap.jumps,
            "pair_off": self._tap.off,
            **self._lag.counters(),
        }


class DuplexCard:
    """What every card does alike, as long as it is open."""

    _duplex: Duplex

    @property
    def queued(self) -> int:
        """Samples that wait to be taken by the speaker."""
        return self._duplex.ring.queued

    def play(self, samples: Samples) -> None:
        """Append samples of any length, shape (n,), to what the speaker plays; the oldest go when it is too much."""
        self._duplex.ring.play(samples)

    def flush(self) -> int:
        """Drop everything that waits for the speaker; return how many samples that was."""
        return self._duplex.ring.flush()

    @property
    def progress(self) -> tuple[int, int]:
        """Blocks heard and samples spoken so far: both grow while the card runs."""
        return self._duplex.progress

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, and a few gauges; the keys are the same for every card."""
        return self._duplex.counters()
