"""A speaker whose hardware takes samples when the test says so."""

from __future__ import annotations

import numpy as np

from device.audio.block import SILENCE, Samples


class RingSpeaker:
    """Does what the ring of a sound card does: appends, and gives zeros where it ran dry."""

    def __init__(self) -> None:
        self._ring: Samples = SILENCE[:0]
        self.dry = 0

    @property
    def queued(self) -> int:
        return self._ring.size

    def play(self, samples: Samples) -> None:
        self._ring = np.concatenate((self._ring, samples))

    def flush(self) -> int:
        dropped, self._ring = self._ring.size, SILENCE[:0]
        return dropped

    def take(self, count: int) -> Samples:
        taken, self._ring = self._ring[:count], self._ring[count:]
        self.dry += count - taken.size
        return np.pad(taken, (0, count - taken.size))
