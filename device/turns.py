"""PURE. How long each answer takes: from the end of speech in the room to the first sample of the answer at the speaker.

Both ends are found in the sound, on the microphone's clock; what lies between is divided by what the service tells. The end
of speech is the last block, before the service says that speech has stopped, that stands out of the room's noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from device.audio.block import RATE, Samples
from device.audio.level import energy
from device.messages.reports import MOST_TURNS, TurnFigures

STANDS_OUT: Final = 10.0
"""How much more energy than the noise a voice has: 10 dB."""

FAINTEST: Final = 10**-5.5
"""Energy below which nothing is a voice: -55 dBFS, for near has been through noise suppression."""

_RISES: Final = 1.01
"""Growth of the estimate of noise per block, 2 dB a second: more than rooms change, less than words last."""

AUDIBLE: Final = 33
"""Size of a sample that counts as sound at the speaker, of 32767: -60 dBFS."""

LONGEST_PAUSE: Final = 10.0
"""Seconds between the last sound of a voice and the service's word; with more, its word is the end of speech. Semantic turn
detection waits for 8 s at most (developers.openai.com, "Voice activity detection")."""

LONGEST_ANSWER: Final = 60.0
"""Seconds after which an answer is no answer to that any more."""


@dataclass(slots=True)
class _Waiting:
    ended: float
    """When speech ended."""
    announced: float | None = None
    """When the service said that its answer begins to sound."""
    sounded: float | None = None
    """When its first sample was at the speaker."""


class TurnTimer:
    """Measures the turns of one session; all times are monotonic seconds."""

    def __init__(self) -> None:
        self.turns: list[TurnFigures] = []
        """The first 200 of them."""
        self._noise = FAINTEST / STANDS_OUT
        self._voice_at: float | None = None
        self._waiting: _Waiting | None = None
        self._round_trip: float | None = None

    def block(self, at: float, near: Samples, played: Samples) -> TurnFigures | None:
        """Take 20 ms of room and speaker, the last sample captured `at`; return a turn that is complete with it."""
        loud = energy(near)
        if loud > max(FAINTEST, STANDS_OUT * self._noise):
            self._voice_at = at
        self._noise = min(max(loud, FAINTEST / STANDS_OUT), self._noise * _RISES)
        waiting = self._waiting
        if waiting is not None and waiting.sounded is None:
            audible = np.flatnonzero(np.abs(played.astype(np.int32)) >= AUDIBLE)
            if audible.size:
                waiting.sounded = at - (played.size - int(audible[0])) / RATE
        return self._completed()

    def speech(self, now: float, *, began: bool) -> None:
        """Take the service's word that somebody speaks, or has stopped."""
        self._waiting = None if began else _Waiting(self._end_of_speech(now))

    def answering(self, now: float, round_trip: float | None) -> TurnFigures | None:
        """Take the service's word that its answer begins to sound, and seconds to it and back, where they are known."""
        if self._waiting is not None and self._waiting.announced is None:
            self._waiting.announced, self._round_trip = now, round_trip
        return self._completed()

    def _end_of_speech(self, now: float) -> float:
        voice = self._voice_at
        return voice if voice is not None and now - LONGEST_PAUSE <= voice <= now else now

    def _completed(self) -> TurnFigures | None:
        waiting = self._waiting
        if waiting is None or waiting.announced is None or waiting.sounded is None:
            return None
        self._waiting = None
        if not 0.0 <= waiting.sounded - waiting.ended <= LONGEST_ANSWER:
            return None
        figures = _divided(waiting.ended, waiting.announced, waiting.sounded, self._round_trip)
        if len(self.turns) < MOST_TURNS:
            self.turns.append(figures)
        return figures


def _divided(ended: float, announced: float, sounded: float, round_trip: float | None) -> TurnFigures:
    device = max(0.0, sounded - announced)
    rest = sounded - ended - device
    network = None if round_trip is None else min(max(0.0, round_trip), rest)
    return TurnFigures(
        total=round(1000 * (sounded - ended)),
        network=None if network is None else round(1000 * network),
        model=None if network is None else round(1000 * (rest - network)),
        device=round(1000 * device),
    )
