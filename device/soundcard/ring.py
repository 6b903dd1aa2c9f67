"""PURE. The samples that wait for the speaker: one side appends, the other takes, and neither ever waits.

One thread (the event loop) calls `play` and `flush`, one other thread (the sound card's) calls `pull`. There is no
lock: each side writes only its own counters, after the samples are in place, and the interpreter makes each of those
writes whole.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.audio.block import RATE, Samples

LIMIT: Final = 4 * RATE
"""Samples that may wait: four seconds, longer than any earcon; speech is kept far shorter by the playout above."""


class SpeakerRing:
    """A bounded queue of samples, read in exactly the pieces that the sound card asks for."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._store = np.zeros(2 * limit, np.int16)  # twice the limit: appending never touches what is being read
        self._bytes = self._store.data.cast("B")
        self._appended = 0
        self._cut = 0
        self._taken = 0
        self._sounding = False
        self.underruns = 0
        """Times the queue ran dry amid sound: once at the end of every utterance, and not when it was flushed."""
        self.overflowed = 0
        """Samples dropped, the oldest first, because too many waited."""

    @property
    def queued(self) -> int:
        """Samples that wait."""
        return self._appended - max(self._taken, self._cut)

    def play(self, samples: Samples) -> None:
        """Append samples, shape (n,); when more than the limit wait, the oldest are dropped."""
        extra = max(0, len(samples) - self._limit)
        self._write(samples[extra:])
        extra += max(0, self.queued - self._limit)
        self._cut = max(self._cut, self._appended - self._limit)
        self.overflowed += extra

    def _write(self, samples: Samples) -> None:
        start = self._appended % len(self._store)
        fitting = min(len(samples), len(self._store) - start)
        self._store[start : start + fitting] = samples[:fitting]
        self._store[: len(samples) - fitting] = samples[fitting:]
        self._appended += len(samples)

    def flush(self) -> int:
        """Drop what waits; return how many samples that was."""
        dropped, self._cut = self.queued, self._appended
        return dropped

    def pull(self, count: int) -> bytes:
        """Return the next `count` samples, int16 as the card wants them; zeros where none wait.

        Bytes and no array, because this runs 100 times a second in a thread that finds nothing in the processor's caches:
        each call of numpy costs it some ten microseconds.
        """
        start = max(self._taken, self._cut)
        ready = min(count, self._appended - start)
        pulled = self._read(2 * (start % len(self._store)), 2 * ready)
        if ready < count:
            self.underruns += ready > 0 or (self._sounding and start == self._taken)
            pulled += bytes(2 * (count - ready))
        self._sounding = ready == count
        self._taken = start + ready
        return pulled

    def _read(self, start: int, size: int) -> bytes:
        read = self._bytes[start : start + size].tobytes()
        return read if len(read) == size else read + self._bytes[: size - len(read)].tobytes()
