"""PURE. Whether somebody in the room speaks while the robot does, and the robot's voice lowered meanwhile.

Before the service has heard of it, hundreds of milliseconds pass; a person who speaks up expects to be noticed at once.
Where the canceller works, the echo it leaves behind is tens of dB below what the microphone heard, and a voice in the
room is not: a block in which little was taken out, and something is left to hear, has a voice in it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from device.audio.block import BLOCK_SECONDS, Samples
from device.audio.echo import is_active
from device.audio.fade import ramp
from device.audio.level import Energies, dbfs

AUDIBLE_DBFS: Final = -45.0
"""What is left of a block must be louder than this: above any echo that was taken out, below a voice at 3 m."""
TAKEN_OUT_DB: Final = 14.0
"""A block that lost more than this was echo, whatever is left of it."""

_WITHIN, _ENOUGH = 6, 4  # blocks: voiced in 80 of the last 120 ms
_RISE: Final = BLOCK_SECONDS / 0.2  # of the way back, in a block
_HOLD: Final = round(0.5 / BLOCK_SECONDS)  # blocks for which a voice that paused is still believed to speak


class DoubleTalk:
    """Watches what goes into the canceller and what comes out of it."""

    def __init__(self) -> None:
        self.active = False
        """Whether both speak now."""
        self.blocks = 0
        """Blocks in which both spoke; only grows."""
        self._voiced: deque[bool] = deque(maxlen=_WITHIN)
        self._held = 0

    def add(self, block: Energies) -> None:
        """Take one block: the microphone before and after the canceller, and what the speaker played."""
        if not is_active(block.far):
            self._held = max(0, self._held - 1)
            self.active = self.active and self._held > 0
            return
        left = dbfs(block.cleaned)
        self._voiced.append(left > AUDIBLE_DBFS and dbfs(block.near) - left < TAKEN_OUT_DB)
        self._held = _HOLD if sum(self._voiced) >= _ENOUGH else max(0, self._held - 1)
        self.active = self._held > 0
        self.blocks += self.active


class Duck:
    """Lowers a voice within 20 ms while somebody speaks over it, and brings it back within 200 ms.

    Args:
        decibels: by how much; 0 leaves it as it is.
    """

    def __init__(self, decibels: float) -> None:
        self._lowest = 10 ** (-decibels / 20)
        self._gain = 1.0

    def apply(self, voice: Samples, *, down: bool) -> Samples:
        """Return `voice`, 20 ms or less, at its new level; silence and full level cost nothing."""
        before = self._gain
        self._gain = self._lowest if down else min(1.0, before + (1.0 - self._lowest) * _RISE)
        if before == self._gain == 1.0:
            return voice
        lowered: Samples = np.rint(voice * ramp(before, self._gain, voice.size)).astype(np.int16)
        return lowered
