"""PURE. What the speaker is handed: the assistant's voice with earcons over it, and how much of it has really left."""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

import numpy as np

from device.audio.block import RATE, SILENCE, Samples
from device.audio.level import is_sound
from device.audio.mix import amplify, mix

_NOTHING: Final[Samples] = SILENCE[:0]


class SpeakerPort(Protocol):
    """The speaker's end of a sound card: a ring that its own clock empties."""

    @property
    def queued(self) -> int:
        """Samples handed over that the hardware has not yet taken."""

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
        self._earcon = self._words = _NOTHING

    def play(self, voice: Samples) -> None:
        """Hand over what comes next of the assistant's `voice`, shape (n,), with what is due of the earcon."""
        sound = amplify(self._with_earcon(voice), self.volume)
        self._clock.settle(self._speaker.queued)
        self._clock.handed(sound.size, voiced=is_sound(voice))
        self._speaker.play(sound)

    def earcon(self, samples: Samples) -> None:
        """Lay `samples`, any length, over what is played from now on; replaces one still sounding, and words after it."""
        self._earcon, self._words = samples, _NOTHING

    def then(self, samples: Samples) -> None:
        """Lay `samples` after the earcon that sounds, if any; the next earcon cuts it short."""
        self._words = np.concatenate([self._words, samples])

    def cut_earcon(self) -> None:
        """Drop what sounds of an earcon, from the next sample handed over; words after it are said at once."""
        self._earcon = _NOTHING

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

    def _with_earcon(self, voice: Samples) -> Samples:
        if not self._earcon.size and not self._words.size:
            return voice
        due, self._earcon = self._earcon[: voice.size], self._earcon[voice.size :]
        if room := voice.size - due.size:
            due, self._words = np.concatenate([due, self._words[:room]]), self._words[room:]
        return mix(voice, np.pad(due, (0, voice.size - due.size)), 1.0, 1.0)


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
