"""PURE. How much of the recorded echo the software canceller takes out, tried on the recording itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from device.audio.block import BLOCK, RATE, Samples
from device.audio.echo import EchoControl
from device.audio.level import rms_dbfs
from device.calibrate.measure import Recorded
from device.calibrate.stimulus import Plan

SETTLED: Final = 0.5
"""Share of the noise after which the canceller is judged; AEC3 needs half a second, hardware may need more."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Levels in dBFS RMS over the last half of the noise."""

    before: float
    """What the microphone heard."""
    after: float
    """What was left of it."""

    @property
    def removed(self) -> float:
        """Echo return loss enhancement, in dB."""
        return self.before - self.after


def tried(echo: EchoControl, recorded: Recorded, plan: Plan) -> Trial:
    """Run `echo` over the whole recording and return what it left of the noise."""
    count = len(recorded.captured) // BLOCK
    left = np.zeros(count * BLOCK, np.int16)
    for number in range(count):
        part = slice(number * BLOCK, (number + 1) * BLOCK)
        left[part] = echo.process(recorded.captured[part], recorded.played[part])
    judged = _judged(recorded.played[: count * BLOCK], plan)
    return Trial(rms_dbfs(recorded.captured[judged]), rms_dbfs(left[judged]))


def _judged(played: Samples, plan: Plan) -> slice:
    """Return the last part of the noise, found from the end of what was played."""
    sounding = np.flatnonzero(played)
    end = int(sounding[-1]) + 1 if len(sounding) else len(played)
    return slice(max(0, end - round(plan.noise * (1.0 - SETTLED) * RATE)), end)
