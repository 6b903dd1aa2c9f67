"""PURE. What the talk light shows in every phase: brightness over time, to be told apart without reading.

Steady light means the robot listens; dark between short blinks means it cannot, or must not; everything that only takes a moment
moves. No light flashes more than three times a second at full depth (WCAG 2.2, success criterion 2.3.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Final

FRAME: Final = 0.04
"""Seconds between two steps of what seems to move evenly."""


class Light(StrEnum):
    """The phases that look different."""

    STARTING = "starting"
    IDLE = "idle"
    ANNOUNCING = "announcing"
    PREPARING = "preparing"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    MUTED = "muted"
    ENDING = "ending"
    FAULT = "fault"
    OFFLINE = "offline"
    UPDATING = "updating"


@dataclass(frozen=True, slots=True)
class Step:
    """One brightness, 0 to 1, for some seconds; `math.inf` means until something else is to be shown."""

    brightness: float
    seconds: float


Level = Callable[[], float | None]
"""How loud the robot speaks now, RMS in dBFS; None when nobody says."""

Pattern = Callable[[Level], Iterator[Step]]


def loudness(level: float) -> float:
    """Return the brightness for a level in dBFS: 0.15 at -50 and below, 1 at -15 and above."""
    return 0.15 + 0.85 * min(1.0, max(0.0, (level + 50.0) / 35.0))


def _repeated(*steps: Step) -> Pattern:
    def pattern(_level: Level) -> Iterator[Step]:
        while True:
            yield from steps

    return pattern


def _moving(shape: Callable[[float], float]) -> Pattern:
    """Return the pattern whose brightness at each time, in seconds from its start, is `shape` of it."""

    def pattern(_level: Level) -> Iterator[Step]:
        for number in count():
            yield Step(shape(number * FRAME), FRAME)

    return pattern


def _wave(low: float, high: float, seconds: float) -> Callable[[float], float]:
    """Return a slow swing that starts at its brightest."""
    return lambda time: low + (high - low) * (0.5 + 0.5 * math.cos(2.0 * math.pi * time / seconds))


def _steady(_level: Level) -> Iterator[Step]:
    yield Step(1.0, math.inf)


def _fading(_level: Level) -> Iterator[Step]:
    for number in range(25):
        yield Step((1.0 - number / 25) ** 2, FRAME)
    yield Step(0.0, math.inf)


def _speaking(level: Level) -> Iterator[Step]:
    for number in count():
        loud = level()
        time = number * FRAME
        unknown = 0.55 + 0.25 * math.sin(2.0 * math.pi * 2.3 * time) + 0.2 * math.sin(2.0 * math.pi * 1.1 * time)
        yield Step(unknown if loud is None else loudness(loud), FRAME)


IDENTIFYING: Final = tuple(Step(brightness, 0.25) for _ in range(10) for brightness in (1.0, 0.0))
"""What a robot shows that is looked for: five seconds, like nothing that it shows for itself."""

PATTERNS: Final[Mapping[Light, Pattern]] = {
    Light.STARTING: _moving(lambda time: (time % 1.6) / 1.6),
    Light.IDLE: _moving(_wave(0.03, 0.16, 5.0)),
    Light.ANNOUNCING: _repeated(Step(1.0, 0.18), Step(0.25, 0.18), Step(1.0, 0.18), Step(0.25, 0.7)),
    Light.PREPARING: _repeated(Step(1.0, 0.2), Step(0.35, 0.2)),
    Light.LISTENING: _steady,
    Light.THINKING: _moving(_wave(0.12, 0.8, 1.2)),
    Light.SPEAKING: _speaking,
    Light.MUTED: _repeated(Step(0.35, 0.16), Step(0.0, 0.84)),
    Light.ENDING: _fading,
    Light.FAULT: _repeated(
        Step(1.0, 0.12), Step(0.0, 0.25), Step(1.0, 0.12), Step(0.0, 0.25), Step(1.0, 0.12), Step(0.0, 1.4)
    ),
    Light.OFFLINE: _repeated(Step(0.6, 0.08), Step(0.0, 2.4)),
    Light.UPDATING: _repeated(Step(0.7, 1.0), Step(0.05, 1.0)),
}
"""The pattern of each phase; the first step of every one that follows a press is bright."""
