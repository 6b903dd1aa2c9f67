"""PURE. The sound of a broadcast that is late on purpose, with what the picture shows beside it.

Blocks go in as they are made and come out so many blocks later: the microphone's clock is the only clock. A cut turns
what is held into silence, so that the broadcast goes on as late as before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from device.audio.block import BLOCK_SECONDS, SILENCE, Samples
from device.audio.fade import EDGE, fade_in, fade_out
from device.messages.reports import Levels
from device.phase import Phase


@dataclass(frozen=True, slots=True)
class Stance:
    """How the session machine stands, as far as observers see it."""

    phase: Phase = Phase.IDLE
    on_air: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """20 ms of the programme."""

    samples: Samples
    """Shape (960,)."""
    levels: Levels
    """How loud both voices were."""
    stance: Stance


def silenced(moment: Moment, samples: Samples = SILENCE) -> Moment:
    """Return `moment` with nothing to be heard in it but `samples`."""
    return replace(moment, samples=samples, levels=Levels())


class DelayLine:
    """Holds `seconds` (0 to 10) of moments, to whole blocks."""

    def __init__(self, seconds: float) -> None:
        self.length = round(seconds / BLOCK_SECONDS)
        """Blocks by which the sound is late."""
        self._held: deque[Moment] = deque()
        self._joint = True

    def push(self, moment: Moment) -> Moment:
        """Take the newest moment and return the one that goes out now: silence until the first has come through."""
        if self._joint:
            moment, self._joint = replace(moment, samples=fade_in(moment.samples)), False
        self._held.append(moment)
        return self._held.popleft() if len(self._held) > self.length else silenced(self._held[0])

    def cut(self) -> float:
        """Make silence of all that is held, between two ramps of 5 ms, and return how many seconds of sound that were."""
        seconds = len(self._held) * BLOCK_SECONDS
        through = len(self._held) == self.length  # or silence goes out now, and needs no ramp
        self._held = deque(
            silenced(moment, _ramp(moment.samples) if through and number == 0 else SILENCE)
            for number, moment in enumerate(self._held)
        )
        self._joint = True
        return seconds


def _ramp(samples: Samples) -> Samples:
    """Return the first 5 ms of a block falling to silence, and silence after them."""
    ramp = SILENCE.copy()
    ramp[:EDGE] = fade_out(samples[:EDGE])
    return ramp
