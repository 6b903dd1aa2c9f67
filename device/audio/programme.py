"""PURE. What is broadcast: the voice in the room and the robot's, each brought to one loudness, and never too loud."""

from __future__ import annotations

from device.audio.block import Samples
from device.audio.loudness import Leveller
from device.audio.mix import limit

CEILING = 0.82
"""Largest sample, of full scale: -1.7 dBFS, which keeps what a converter makes between samples below -1 dBTP."""


class Programme:
    """Mixes both voices, block by block."""

    def __init__(self) -> None:
        self._near, self._played = Leveller(), Leveller()

    def mix(self, near: Samples, played: Samples, near_energy: float, played_energy: float) -> Samples:
        """Return one block, shape (960,), of what the microphone and the speaker gave, whose mean squares are known.

        Silence stays silence.
        """
        total = self._near.level(near, near_energy)
        total += self._played.level(played, played_energy)
        return limit(total, knee=0.5, ceiling=CEILING)

    def counters(self) -> dict[str, float]:
        """Return what each voice is amplified by, in dB."""
        return {"near_gain_db": self._near.gain_db, "played_gain_db": self._played.gain_db}
