"""What has arrived of the user's voice in one call: a minute of sound, and where in it somebody talked."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import webrtcvad

from provisioning.local.realtime import sound
from provisioning.local.realtime.session import TurnDetection
from provisioning.local.realtime.sound import RATE, Samples
from provisioning.local.realtime.turn_detection import FRAME_MS, Began, Ended, TurnDetector

KEPT_FRAMES: Final = 3_000
"""60 seconds; a longer turn loses its beginning."""

FAINTEST_DBFS: Final = -55.0
"""Below this nothing is speech, whatever its shape."""


class InputBuffer:
    """The input audio buffer of the API, on the clock of the sound that came in."""

    def __init__(self) -> None:
        self._frames: deque[Samples] = deque(maxlen=KEPT_FRAMES)
        self._turns = TurnDetector()
        self._classifier = webrtcvad.Vad()
        self._taken_ms = 0

    @property
    def position_ms(self) -> int:
        """How much sound has come in since the call began."""
        return self._turns.position_ms

    @property
    def waiting_ms(self) -> int:
        """How much of it has neither been committed nor cleared."""
        return self.position_ms - self._taken_ms

    def feed(self, frame: Samples, detection: TurnDetection | None) -> Began | Ended | None:
        """Take 20 ms, and return whether a turn began or ended with it; never, where the client takes turns."""
        self._frames.append(frame)
        if detection is None:
            self._turns.position_ms += FRAME_MS
            return None
        return self._turns.feed(
            speech=self._is_speech(frame, detection.threshold),
            prefix_ms=detection.prefix_padding_ms,
            silence_ms=detection.silence_ms,
        )

    def take(self, start_ms: int | None = None) -> Samples:
        """Return the sound from `start_ms` (or from where the last was taken) until now, and begin anew."""
        start = max(self._taken_ms if start_ms is None else start_ms, self.position_ms - FRAME_MS * len(self._frames))
        count = (self.position_ms - start) // FRAME_MS
        self.clear()
        return np.concatenate([np.zeros(0, np.int16), *list(self._frames)[len(self._frames) - count :]])

    def clear(self) -> None:
        """Forget what has come in."""
        self._taken_ms = self.position_ms
        self._turns.forget()

    def _is_speech(self, frame: Samples, threshold: float) -> bool:
        self._classifier.set_mode(max(0, min(3, int(threshold * 4))))
        return sound.level(frame) > FAINTEST_DBFS and bool(self._classifier.is_speech(frame.tobytes(), RATE))
