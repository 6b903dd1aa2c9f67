"""PURE. What the speaker was really handed, paired with what the microphone heard meanwhile.

Microphone and speaker have a counter of samples each, and each its own clock: two USB devices differ by tens of parts
per million. A block of the microphone is paired with the samples at the same place of the speaker's counter, plus an
offset. The offset comes from the times at which both counters were last seen; from then on it moves by one sample a
block at most, the block being stretched to fit, so that drift neither lets the tap grow nor slip and never clicks.
Only when the pair is apart by more than `JUMP`, or the speaker stood still, does the offset move at once.

An echo canceller needs what was played no later than its echo. So the pair lags behind the clocks only by one call of
the card, because the speaker is handed samples in pieces that long, and a little for uneven calls.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from device.audio.block import RATE, Samples
from device.audio.timescale import stretched

HISTORY: Final = 2 * RATE
"""Samples kept: a block may be paired this long after it was captured."""

SLACK: Final = 192
"""Samples (4 ms) by which the speaker's call may be late before a pair has a hole."""

LEAN: Final = 8
"""Samples that the pair may be off before it is moved back, one sample a block: at 200 ppm the canceller takes out 43 dB
of the echo so, and 37 dB when the pair may be off by 48 samples (`make bench-voice`)."""

JUMP: Final = 480
"""Samples (10 ms) off, in `PERSISTENT` blocks on end, at which the offset moves at once."""

PERSISTENT: Final = 25

STALLED: Final = 0.060
"""Seconds without a call of the speaker after which its counter says nothing about now."""

SETTLING: Final = 15
"""Blocks (0.3 s) whose median corrects a first estimate; later ones are smoothed over 64 blocks."""

OUTLIER: Final = 96
"""Samples (2 ms): one measurement counts for no more than this, because threads are late by far more at times."""


class Tap:
    """A history of what was played: written by the speaker's thread, read once for each block."""

    def __init__(self, frames: int) -> None:
        self._lag = frames + SLACK
        self._store = np.zeros(HISTORY, np.int16)
        self._bytes = self._store.data.cast("B")
        self._mark = (0, -math.inf)
        self._offset: int | None = None
        self._first: list[int] = []
        self._astray = 0
        self._off = 0.0
        self._leaning = 0
        self._holes = 0
        self.missing = 0
        """Samples that were not there when their pair was asked for; zeros instead."""
        self.drift = 0
        """Samples by which the speaker's clock has run ahead of the microphone's, as far as it was followed."""
        self.jumps = 0
        """Times the offset moved at once because a device had stood still."""

    @property
    def off(self) -> float:
        """How far the pair is from where the clocks say it should be, in samples, smoothed."""
        return self._off

    def write(self, samples: bytes, at: float) -> None:
        """Note the samples, int16, that the speaker was handed at the monotonic time `at`."""
        written, _ = self._mark
        start = 2 * (written % HISTORY)
        fitting = min(len(samples), len(self._bytes) - start)
        self._bytes[start : start + fitting] = samples[:fitting]
        if fitting < len(samples):
            self._bytes[: len(samples) - fitting] = samples[fitting:]
        self._mark = (written + len(samples) // 2, at)

    def lacks(self, position: int, count: int) -> bool:
        """Tell whether the speaker has yet to be handed some of what would be paired with these samples."""
        return self._offset is not None and position + self._offset + count > self._mark[0]

    def pair(self, position: int, count: int, at: float) -> Samples:
        """Return what was played while the microphone's samples `position` to `position + count` were captured.

        `at` is the monotonic time at which the last of them was captured; positions only grow, and may leave some out.
        A fresh array of shape (count,); zeros where nothing was played, or nothing is known.
        """
        written, seen = self._mark
        if at - seen > STALLED:
            self._forget()
            return np.zeros(count, np.int16)
        offset = self._follow(written + round((at - seen) * RATE) - self._lag - position - count)
        leaning = self._lean()
        self._offset = offset + leaning
        self._mind_holes(position + offset + count + leaning - written)
        return stretched(self._read(position + offset, count + leaning, written), count)

    def _mind_holes(self, missing: int) -> None:
        """One pair with a hole is a late call; two in a row mean that the speaker has lost time for good."""
        self.missing += max(0, missing)
        self._holes = self._holes + 1 if missing > 0 else 0
        if self._holes == 2:
            self._forget()

    def _forget(self) -> None:
        self.jumps += self._offset is not None
        self._offset, self._first, self._astray, self._off, self._leaning, self._holes = None, [], 0, 0.0, 0, 0

    def _follow(self, wanted: int) -> int:
        """Return the offset for this block; `wanted` is noisy by the unevenness of two threads."""
        if self._offset is None:
            self._offset = wanted
        error = wanted - self._offset
        self._astray = self._astray + 1 if abs(error) > JUMP else 0
        if self._astray == PERSISTENT:
            self._forget()
            return wanted
        return self._offset + (self._settle(error) if len(self._first) < SETTLING else self._smooth(error))

    def _settle(self, error: int) -> int:
        self._first.append(error)
        return round(np.median(self._first)) if len(self._first) == SETTLING else 0

    def _smooth(self, error: int) -> int:
        self._off += min(OUTLIER, max(-OUTLIER, error - self._off)) / 64
        return 0

    def _lean(self) -> int:
        """Return by how many samples (-1, 0 or 1) more or less than its length this block is to take."""
        if abs(self._off) > LEAN:
            self._leaning = 1 if self._off > 0 else -1
        elif self._off * self._leaning <= 0:
            self._leaning = 0
        self._off -= self._leaning
        self.drift += self._leaning
        return self._leaning

    def _read(self, start: int, count: int, written: int) -> Samples:
        first = start % HISTORY
        if start >= max(0, written - HISTORY) and start + count <= written and first + count <= HISTORY:
            return self._store[first : first + count].copy()
        places = np.arange(start, start + count)
        samples = self._store.take(places, mode="wrap")
        samples[(places >= written) | (places < max(0, written - HISTORY))] = 0
        return samples
