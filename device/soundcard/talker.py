"""PURE. What is said in the simulated room, and what its loudspeaker does, with the time of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from device.audio.block import RATE, Samples

AUDIBLE: Final = round(32768 * 10 ** (-50 / 20))
"""Sample values above this (-50 dBFS) count as sound."""

QUIET: Final = RATE // 5
"""Samples (200 ms) without such a value make silence."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that began or ended at one sample of a piece, counted from the piece's first."""

    what: str
    offset: int
    number: int


class Talker:
    """Utterances that are said one after the other."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Samples]] = deque()
        self._current: tuple[int, Samples] | None = None
        self._said = 0
        self._count = 0

    @property
    def talking(self) -> bool:
        """True while something is being said, or waits for it."""
        return self._current is not None or bool(self._waiting)

    def say(self, samples: Samples) -> int:
        """Queue one utterance, shape (n,) with n > 0; return its number, from 1 up."""
        self._count += 1
        self._waiting.append((self._count, samples))
        return self._count

    def take(self, count: int) -> tuple[Samples, list[Mark]]:
        """Return the next `count` samples, silence where nothing is said, and which utterances began or ended there.

        Marks are `said-begin` and `said-end`; the offset of an end is that of its last sample.
        """
        piece, marks = np.zeros(count, np.int16), list[Mark]()
        filled = 0
        while filled < count and self.talking:
            number, samples = self._next(filled, marks)
            part = samples[self._said : self._said + count - filled]
            piece[filled : filled + len(part)] = part
            filled += len(part)
            self._said += len(part)
            if self._said == len(samples):
                self._current = None
                marks.append(Mark("said-end", filled - 1, number))
        return piece, marks

    def _next(self, offset: int, marks: list[Mark]) -> tuple[int, Samples]:
        if self._current is None:
            self._current, self._said = self._waiting.popleft(), 0
            marks.append(Mark("said-begin", offset, self._current[0]))
        return self._current


class Ear:
    """Tells when a loudspeaker becomes audible and when it falls silent."""

    def __init__(self) -> None:
        self._quiet = QUIET
        self._turn = 0

    def listen(self, piece: Samples) -> list[Mark]:
        """Return what happened within this piece of 200 ms at most: `speaker-silent`, `speaker-audible`, by turn.

        Silence is known 200 ms after it began: its offset, that of the last audible sample, is then negative.
        """
        loud = np.flatnonzero(np.abs(piece.astype(np.int32)) > AUDIBLE)
        quiet = self._quiet + (int(loud[0]) if len(loud) else len(piece))
        marks: list[Mark] = []
        if self._quiet < QUIET <= quiet:
            marks.append(Mark("speaker-silent", -1 - self._quiet, self._turn))
        if len(loud) and quiet >= QUIET:
            self._turn += 1
            marks.append(Mark("speaker-audible", int(loud[0]), self._turn))
        self._quiet = len(piece) - 1 - int(loud[-1]) if len(loud) else quiet
        return marks
