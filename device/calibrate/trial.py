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


BEFORE: Final = 0.3
"""Seconds before the first sound in which the canceller's noise suppression has found what the room sounds like."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Levels in dBFS RMS, over the last half of the noise and before anything was played."""

    before: float
    """What the microphone heard of the noise."""
    after: float
    """What was left of it."""
    quiet: float
    """What was left of the room while nothing was played."""

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
    quiet = left[_quiet(recorded.played)]
    return Trial(rms_dbfs(recorded.captured[judged]), rms_dbfs(left[judged]), rms_dbfs(quiet))


def _quiet(played: Samples) -> slice:
    """Return the last moment before the first sound."""
    sounding = np.flatnonzero(played)
    end = int(sounding[0]) if len(sounding) else len(played)
    return slice(max(0, end - round(BEFORE * RATE)), end)


def _judged(played: Samples, plan: Plan) -> slice:
    """Return the last part of the noise, found from the end of what was played."""
    sounding = np.flatnonzero(played)
    end = int(sounding[-1]) + 1 if len(sounding) else len(played)
    return slice(max(0, end - round(plan.noise * (1.0 - SETTLED) * RATE)), end)
