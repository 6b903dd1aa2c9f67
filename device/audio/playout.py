"""PURE. What the speaker is handed: the assistant's voice with earcons over it, and how much of it has really left.

One block goes in per block of the microphone. Microphone and speaker may have different clocks, so the speaker's ring
slowly fills or empties. A pause is then made shorter or longer by exactly what is missing, and sound is stretched by one
sample in a block, which follows clocks that differ by up to 1000 millionths without a click or a change that is heard.
What is aimed at is little, and more for a while after the ring ran dry because the event loop was late.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

import numpy as np

from device.audio.block import BLOCK, RATE, SILENCE, Samples
from device.audio.level import is_quiet
from device.audio.mix import amplify, mix
from device.audio.timescale import cut, extend, lengthen, shorten, stretched

FEWEST_QUEUED: Final = 720
"""Samples to be played before a block is handed over that are aimed at: 15 ms, for a call of the card and some lateness."""
MOST_QUEUED: Final = 1680
"""What the aim may grow to after the ring ran dry."""
FULL: Final = 4800
"""Samples in the ring above which a block is left out whatever it holds: 100 ms."""

_USUAL = 25  # blocks over which the least that was in the ring is judged
_STEP = 240  # samples by which the aim grows when the ring ran dry
_EASE = 1500  # blocks (30 s) without running dry after which it shrinks by as much
_PLAY = 120  # samples off the aim that are let be
_PAUSED = 5  # quiet blocks after which nobody is in the middle of a sentence
_FAR = 480  # samples off the aim from which speech loses periods of its pitch
_ALIKE, _LESS_ALIKE = 0.8, 0.5


class SpeakerPort(Protocol):
    """The speaker's end of a sound card: a ring that its own clock empties."""

    @property
    def queued(self) -> int:
        """Samples handed over that the hardware has not yet taken."""

    @property
    def owed(self) -> int:
        """Samples of the hardware's last call that are still to be played, by its own clock; below 0: its call is late.

        With it the level of the ring falls evenly, and not by a whole call at once: where the calls of two devices
        drift past each other, that would look like a call too many or too few.
        """

    @property
    def underruns(self) -> int:
        """Times that the ring ran dry; only grows."""

    def play(self, samples: Samples) -> None:
        """Append `samples` to the ring."""

    def flush(self) -> int:
        """Drop what is queued and return how many samples that were."""


class Playout:
    """Fills the ring of one speaker."""

    def __init__(self, speaker: SpeakerPort) -> None:
        self.volume = 1.0
        """Gain of everything that is played, 0 to 1."""
        self._speaker = speaker
        self._clock = PlayedClock()
        self._earcon: Samples = SILENCE[:0]
        self._level = RingLevel()
        self._last: deque[Samples] = deque(maxlen=_PAUSED)
        self._counts = {"left_out": 0, "repeated": 0, "overfull": 0, "stretched": 0}

    def play(self, voice: Samples) -> None:
        """Hand over the next block of the assistant's `voice`, shape (960,), with what is due of the earcon."""
        block = amplify(self._with_earcon(voice), self.volume)
        queued = self._speaker.queued
        self._clock.settle(queued)
        self._level.add(queued + self._speaker.owed, self._speaker.underruns)
        fitted = self._fitted(block, queued)
        if fitted.size:
            self._level.moved(fitted.size - BLOCK)
            self._clock.handed(fitted.size, voiced=bool(voice.any()))
            self._speaker.play(fitted)

    def earcon(self, samples: Samples) -> None:
        """Lay `samples`, any length, over what is played from the next block on; replaces one still sounding."""
        self._earcon = samples

    def flush(self) -> int:
        """Put silence in the place of what the speaker has not taken yet and return how many samples that were."""
        self._clock.settle(self._speaker.queued)
        self._clock.drop()
        dropped = self._speaker.flush()
        if dropped:  # as much silence keeps the ring from running dry now and the delay as it was
            self._speaker.play(np.zeros(dropped, np.int16))
        return dropped

    @property
    def played_seconds(self) -> float:
        """Seconds of the assistant's voice that the hardware has taken."""
        self._clock.settle(self._speaker.queued)
        return self._clock.voiced / RATE

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow: samples of pauses left out and added, blocks left out, blocks stretched."""
        return {**self._counts, "ring_aim": self._level.aim}

    def _with_earcon(self, voice: Samples) -> Samples:
        if not self._earcon.size:
            return voice
        due, self._earcon = self._earcon[:BLOCK], self._earcon[BLOCK:]
        return mix(voice, np.pad(due, (0, BLOCK - due.size)), 1.0, 1.0)

    def _fitted(self, block: Samples, queued: int) -> Samples:
        self._last.append(block)
        if queued > FULL:
            self._counts["overfull"] += 1
            return block[BLOCK:]
        off = self._level.off
        if abs(off) <= _PLAY:
            return block
        if len(self._last) == _PAUSED and all(map(is_quiet, self._last)):
            return self._pause(block, off)
        if off > _FAR and self._level.settled:
            return shorten(block, _ALIKE)
        if off < -FEWEST_QUEUED // 2:
            return lengthen(block, _LESS_ALIKE)
        self._counts["stretched"] += 1
        return stretched(block, BLOCK - 1 if off > 0 else BLOCK + 1)

    def _pause(self, block: Samples, off: int) -> Samples:
        fitted = cut(block, off) if off > 0 else extend(block, -off)
        self._counts["left_out"] += max(0, block.size - fitted.size)
        self._counts["repeated"] += max(0, fitted.size - block.size)
        return fitted


class RingLevel:
    """How much is to be played when a block is handed over, at its lowest in half a second, against what should be."""

    def __init__(self) -> None:
        self.aim = FEWEST_QUEUED
        """Samples that should be there; grows when the ring ran dry, shrinks again."""
        self._levels: deque[int] = deque(maxlen=_USUAL)
        self._underruns: int | None = None
        self._good_for = 0  # blocks

    @property
    def settled(self) -> bool:
        """Whether half a second has been seen."""
        return len(self._levels) == _USUAL

    @property
    def off(self) -> int:
        """Samples too many (below 0: too few) in the ring; 0 until half a second has been seen."""
        return min(self._levels) - self.aim if self.settled else 0

    def add(self, level: int, underruns: int) -> None:
        """Say that `level` samples are to be played, the ring ran dry so often, and a block will be handed over."""
        settled, before = self.settled, self._underruns
        self._levels.append(level)
        self._underruns = underruns
        self._good_for += 1
        if settled and before not in {None, underruns}:
            self.aim, self._good_for = min(MOST_QUEUED, self.aim + _STEP), 0
        elif self._good_for > _EASE:
            self.aim, self._good_for = max(FEWEST_QUEUED, self.aim - _STEP), 0

    def moved(self, samples: int) -> None:
        """Say that so many samples more than a block were handed over."""
        for place, level in enumerate(self._levels):
            self._levels[place] = level + samples


class PlayedClock:
    """Counts the samples of the assistant's voice that the hardware has taken out of the ring."""

    def __init__(self) -> None:
        self.voiced = 0
        """Samples of the voice taken; only grows."""
        self._parts: deque[tuple[int, bool]] = deque()  # (samples, voiced) in the ring, oldest first
        self._inside = 0

    def handed(self, samples: int, *, voiced: bool) -> None:
        """Say that `samples` were put into the ring."""
        self._parts.append((samples, voiced))
        self._inside += samples

    def settle(self, queued: int) -> None:
        """Say that `queued` samples are in the ring now; the oldest of what was put in has left."""
        left = self._inside - queued
        while left > 0 and self._parts:
            left -= self._take(left)

    def drop(self) -> None:
        """Say that the ring was emptied without being heard."""
        self._parts.clear()
        self._inside = 0

    def _take(self, left: int) -> int:
        samples, voiced = self._parts.popleft()
        taken = min(samples, left)
        if taken < samples:
            self._parts.appendleft((samples - taken, voiced))
        self.voiced += taken if voiced else 0
        self._inside -= taken
        return taken
