"""PURE. Where a turn begins and ends, from one verdict (speech or not) for each 20 ms of sound."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

FRAME_MS: Final = 20

ONSET_FRAMES: Final = 8
"""A turn begins when most of the last 160 ms are speech: a click or a cough of one frame does not begin one."""

ONSET_SPEECH: Final = 6


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody began to talk; milliseconds on the clock of the sound, prefix padding included."""

    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """They stopped; the silence that told so is included."""

    audio_end_ms: int


class TurnDetector:
    """Turns verdicts into turns."""

    def __init__(self) -> None:
        self.position_ms = 0
        """How much sound has come in."""
        self.talking = False
        self._recent: deque[bool] = deque(maxlen=ONSET_FRAMES)
        self._silent_ms = 0

    def feed(self, *, speech: bool, prefix_ms: int, silence_ms: int) -> Began | Ended | None:
        """Take the verdict on the next 20 ms, and return what it decides."""
        self.position_ms += FRAME_MS
        self._recent.append(speech)
        return self._stopping(speech, silence_ms) if self.talking else self._starting(prefix_ms)

    def forget(self) -> None:
        """Wait for the next turn: the client took this one, or threw it away."""
        self.talking = False
        self._recent.clear()

    def _starting(self, prefix_ms: int) -> Began | None:
        if sum(self._recent) < ONSET_SPEECH:
            return None
        self.talking, self._silent_ms = True, 0
        heard_ms = FRAME_MS * (len(self._recent) - self._recent.index(True))
        return Began(max(0, self.position_ms - heard_ms - prefix_ms))

    def _stopping(self, speech: bool, silence_ms: int) -> Ended | None:
        self._silent_ms = 0 if speech else self._silent_ms + FRAME_MS
        if self._silent_ms < silence_ms:
            return None
        self.forget()
        return Ended(self.position_ms)
