"""PURE. From what was played and what was captured: delay, drift, echo loss, clipping, noise floor.

Three clocks are told apart. `nominal` is the speaker's: the chirps follow one another as they were handed to it.
`captured` is the microphone's. `played`, the tap's, is what an echo canceller gets: the speaker's samples laid on the
microphone's clock. Delay is measured between the last two, drift between the first two.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import BLOCK, RATE, Samples
from device.audio.level import FLOOR_DBFS, dbfs, energy, rms_dbfs
from device.calibrate.stimulus import CHIRP_SECONDS, Plan, chirp, stimulus

DISTINCT: Final = 8.0
"""How far a chirp's correlation must stand out of its surroundings' RMS to be believed; noise reaches about 4.5."""
FASTEST_DRIFT: Final = 0.002
"""No two sound cards are further apart (2000 ppm); what is, is a hole."""
EARLY: Final = 0.03
"""Seconds by which an echo may seem to come before its cause: the tap is laid on the clock with some slack."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Two recordings on the microphone's clock, of the same length, shape (n,)."""

    played: Samples
    captured: Samples


@dataclass(frozen=True, slots=True)
class Measured:
    """What they tell; levels in dBFS RMS."""

    chirps: int
    """How many were played."""
    heard: int
    """How many the microphone heard."""
    delay: float
    """Seconds from the tap to the microphone; median."""
    wander: float
    """Seconds between the longest and the shortest delay."""
    drift: float
    """Parts per million by which the microphone's clock is faster than the speaker's."""
    drift_error: float
    """Standard error of `drift`, in ppm."""
    floor: float
    """Microphone while nothing is played."""
    played: float
    """What the speaker was given, while noise was played."""
    echo: float
    """What the microphone captured then."""
    loss: float
    """Echo return loss in dB, the floor taken off; a lower bound where the echo drowns in it."""
    clipped: int
    """Blocks in which the microphone touched full scale."""
    holes: int
    """Times the speaker ran dry, or the tap jumped, between two chirps."""
    given: float
    """Level of the noise that was to be played."""


def measure(recorded: Recorded, plan: Plan) -> Measured | None:
    """Return what the recordings tell; None when not even the tap holds the first chirp."""
    starts = _chirps_played(recorded.played, plan)
    if starts is None:
        return None
    arrivals = [_arrival(recorded.captured, start, plan) for start in starts]
    nominal, holes = _nominal(starts, plan)
    heard = [(place, start, at) for place, start, at in zip(nominal, starts, arrivals, strict=True) if at is not None]
    delays = [(at - start) / RATE for _, start, at in heard]
    drift, error = _drift([(place, at) for place, _, at in heard])
    delay = float(np.median(delays)) if delays else 0.0
    return Measured(
        chirps=plan.chirps,
        heard=len(heard),
        delay=delay,
        wander=max(delays) - min(delays) if delays else 0.0,
        drift=drift,
        drift_error=error,
        clipped=_clipped(recorded.captured),
        holes=holes,
        **_levels(recorded, starts[0], plan, delay),
    )


def _chirps_played(played: Samples, plan: Plan) -> list[float] | None:
    """Return where on the microphone's clock each chirp begins in the tap; before the first one there is nothing."""
    sounding = np.flatnonzero(played)
    expected = float(sounding[0]) if len(sounding) else 0.0
    starts = list[float]()
    for _ in range(plan.chirps if len(sounding) else 0):
        origin = max(0, round(expected - 0.1 * RATE))
        found = _find(played[origin : origin + round((0.2 + CHIRP_SECONDS) * RATE)])
        starts.append(expected if found is None else origin + found)
        expected = starts[-1] + plan.spacing * RATE
    return starts or None


def _nominal(starts: list[float], plan: Plan) -> tuple[list[float], int]:
    """Return where the chirps are on the speaker's clock, and in how many places it was fed too late.

    A hole in what is played moves all that follows; it is told from drift by its size.
    """
    places, holes = [0.0], 0
    for before, start in pairwise(starts):
        late = start - before - plan.spacing * RATE
        hole = abs(late) > FASTEST_DRIFT * plan.spacing * RATE
        holes += hole
        places.append(places[-1] + plan.spacing * RATE + (late if hole else 0.0))
    return places, holes


def _arrival(captured: Samples, start: float, plan: Plan) -> float | None:
    """Return where the chirp that was played at `start` begins in the microphone's recording."""
    origin = max(0, round(start - EARLY * RATE))
    found = _find(captured[origin : origin + round(plan.spacing * RATE)])
    return None if found is None else origin + found


def _find(sound: Samples) -> float | None:
    """Return where a chirp begins, to a fraction of a sample; None when it does not stand out."""
    if len(sound) < 2 * len(chirp()):
        return None
    size = len(sound) + len(chirp())
    spectrum = np.fft.rfft(sound.astype(np.float64), size) * np.conj(np.fft.rfft(chirp(), size))
    match = np.abs(np.fft.irfft(spectrum, size)[: len(sound) - len(chirp()) + 1])
    peak = int(np.argmax(match))
    around = np.ones(len(match), bool)
    around[max(0, peak - 48) : peak + 49] = False
    if match[peak] < DISTINCT * max(float(np.median(match[around])), 1.0):
        return None
    return peak + _vertex(match, peak)


def _vertex(match: Floats, peak: int) -> float:
    """Return by how much of a sample the top of the parabola through three points is beside the middle one."""
    if not 0 < peak < len(match) - 1:
        return 0.0
    before, top, after = (float(value) for value in match[peak - 1 : peak + 2])
    bend = before - 2.0 * top + after
    return 0.0 if bend == 0.0 else 0.5 * (before - after) / bend


def _drift(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope of the microphone's places over the speaker's, less 1, and its standard error, in ppm."""
    if len(pairs) < 3:
        return 0.0, 0.0
    nominal, arrived = (np.array(side) for side in zip(*pairs, strict=True))
    nominal = nominal - nominal.mean()
    slope = float(np.dot(nominal, arrived) / np.dot(nominal, nominal))
    rest = arrived - arrived.mean() - slope * nominal
    error = float(np.sqrt(np.dot(rest, rest) / (len(pairs) - 2) / np.dot(nominal, nominal)))
    return (slope - 1.0) * 1e6, error * 1e6


def _levels(recorded: Recorded, first: float, plan: Plan, delay: float) -> dict[str, float]:
    settling = min(round(0.3 * RATE), round(first) // 4)
    quiet = recorded.captured[settling : max(settling + BLOCK, round(first - 0.05 * RATE))]
    floor = _usual(quiet)
    begin = round(first + plan.span * RATE)
    noise = slice(begin, begin + round(plan.noise * RATE))
    echo = recorded.captured[slice(*(edge + round(delay * RATE) for edge in (noise.start, noise.stop)))]
    played, captured = rms_dbfs(recorded.played[noise]), rms_dbfs(echo)
    above = energy(echo) - 10.0 ** (floor / 10.0)
    loss = played - (dbfs(above) if above > 0.1 * 10.0 ** (floor / 10.0) else floor - 10.0)
    given = rms_dbfs(stimulus(plan)[-round(plan.noise * RATE) :])
    return {"floor": floor, "played": played, "echo": captured, "loss": loss, "given": given}


def _usual(quiet: Samples) -> float:
    """Return the level of the blocks' median, so that one cough is not the noise floor."""
    blocks = [energy(quiet[start : start + BLOCK]) for start in range(0, len(quiet) - BLOCK + 1, BLOCK)]
    return dbfs(float(np.median(blocks))) if blocks else FLOOR_DBFS


def _clipped(captured: Samples) -> int:
    loud = np.abs(captured[: len(captured) // BLOCK * BLOCK].astype(np.int32)).reshape(-1, BLOCK)
    return int((loud.max(axis=1) >= 32767).sum())
