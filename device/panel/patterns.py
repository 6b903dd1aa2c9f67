"""PURE. What the talk light shows in every phase: brightness over time, to be told apart without reading.

Steady light means the robot listens; dark between short blinks means it cannot, or must not; everything that only takes a moment
moves. A fault counts: each kind has its own number of short and long blinks. No light flashes more than three times a
second at full depth (WCAG 2.2, success criterion 2.3.1). Colours and second lights say the same again (`rendering`).

A dimmed light is made by switching it on and off very often, and each change of brightness costs processor time: what
moves is cut into steps that an eye can just tell apart, and each lasts until the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Final

from device.panel.faults import Fault

FRAME: Final = 0.04
"""Seconds that the shortest step of a movement takes."""

LEVEL_SECONDS: Final = 0.1
"""Seconds between two looks at how loud the robot speaks."""

JUST_SEEN: Final = 2.5
"""Steps of lightness (CIE L*, 0 to 100) in which a movement is shown; about 1 can be told apart side by side."""


class Light(StrEnum):
    """The phases that look different."""

    STARTING = "starting"
    IDLE = "idle"
    ANNOUNCING = "announcing"
    PREPARING = "preparing"
    LISTENING = "listening"
    HOLD_TO_TALK = "hold-to-talk"
    """In a conversation by push-to-talk, while nobody holds the button."""
    THINKING = "thinking"
    SPEAKING = "speaking"
    SPEAKING_ALONE = "speaking-alone"
    """It speaks, and hears nobody meanwhile: half duplex."""
    TROUBLE = "trouble"
    """The last answer failed; the robot listens."""
    CLOSING = "closing"
    """It listens, and the conversation ends soon because it has lasted as long as it may."""
    MUTED = "muted"
    ENDING = "ending"
    FAULT = "fault"
    """A fault of no kind below."""
    FAULT_SOUND = "fault-sound"
    FAULT_NETWORK = "fault-network"
    FAULT_SERVICE = "fault-service"
    FAULT_REFUSED = "fault-refused"
    FAULT_BUDGET = "fault-budget"
    FAULT_CLOCK = "fault-clock"
    FAULT_BUSY = "fault-busy"
    OFFLINE = "offline"
    UPDATING = "updating"
    CLAIMING = "claiming"
    """It waits for a claim."""


def of_fault(fault: Fault) -> Light:
    """Return the light of a kind of fault."""
    return Light.FAULT if fault is Fault.OTHER else Light(f"fault-{fault}")


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


def lightness(brightness: float) -> float:
    """Return how bright it looks, CIE L* from 0 to 100, for `brightness` as a share of the light's power (CIE 15:2004)."""
    return 116.0 * brightness ** (1 / 3) - 16.0 if brightness > 0.008856 else 903.3 * brightness


def _stepped(brightness: float) -> float:
    """Return the brightness of the nearest step that an eye tells from the next."""
    looks = min(100.0, JUST_SEEN * round(lightness(brightness) / JUST_SEEN))
    return ((looks + 16.0) / 116.0) ** 3 if looks > 8.0 else looks / 903.3


def _repeated(*steps: Step) -> Pattern:
    def pattern(_level: Level) -> Iterator[Step]:
        while True:
            yield from steps

    return pattern


def _moving(shape: Callable[[float], float]) -> Pattern:
    """Return the pattern whose brightness at each time, in seconds from its start, is about `shape` of it."""

    def pattern(_level: Level) -> Iterator[Step]:
        shown, since = _stepped(shape(0.0)), 0
        for number in count(1):
            brightness = _stepped(shape(number * FRAME))
            if brightness != shown:
                yield Step(shown, (number - since) * FRAME)
                shown, since = brightness, number

    return pattern


def _wave(low: float, high: float, seconds: float) -> Callable[[float], float]:
    """Return a slow swing that starts at its brightest."""
    return lambda time: low + (high - low) * (0.5 + 0.5 * math.cos(2.0 * math.pi * time / seconds))


def _steady(_level: Level) -> Iterator[Step]:
    yield Step(1.0, math.inf)


def _speaking(level: Level) -> Iterator[Step]:
    for number in count():
        loud = level()
        time = number * LEVEL_SECONDS
        unknown = 0.55 + 0.25 * math.sin(2.0 * math.pi * 2.3 * time) + 0.2 * math.sin(2.0 * math.pi * 1.1 * time)
        yield Step(_stepped(unknown if loud is None else loudness(loud)), LEVEL_SECONDS)


def _speaking_alone(level: Level) -> Iterator[Step]:
    """Follow the voice, and be dark again and again: it cannot hear."""
    for number, step in enumerate(_speaking(level)):
        yield Step(0.0, LEVEL_SECONDS) if number % 11 >= 7 else step


_DOT: Final = (Step(1.0, 0.12), Step(0.0, 0.25))
_DASH: Final = (Step(1.0, 0.6), Step(0.0, 0.25))
_PAUSE: Final = Step(0.0, 1.15)


def _counted(dashes: int, dots: int) -> Pattern:
    """Return long blinks, short blinks, a pause, and again: up to four are counted at a glance."""
    return _repeated(*_DASH * dashes, *_DOT * dots, _PAUSE)


IDENTIFYING: Final = tuple(Step(brightness, 0.25) for _ in range(10) for brightness in (1.0, 0.0))
"""What a robot shows that is looked for: five seconds, like nothing that it shows for itself."""

PATTERNS: Final[Mapping[Light, Pattern]] = {
    Light.STARTING: _moving(lambda time: (time % 1.6) / 1.6),
    Light.IDLE: _moving(_wave(0.03, 0.16, 5.0)),
    Light.ANNOUNCING: _repeated(Step(1.0, 0.18), Step(0.25, 0.18), Step(1.0, 0.18), Step(0.25, 0.7)),
    Light.PREPARING: _repeated(Step(1.0, 0.2), Step(0.35, 0.2)),
    Light.LISTENING: _steady,
    Light.HOLD_TO_TALK: _repeated(Step(0.35, 1.6), Step(0.08, 0.2), Step(0.35, 0.2), Step(0.08, 0.2)),
    Light.THINKING: _moving(_wave(0.12, 0.8, 1.2)),
    Light.SPEAKING: _speaking,
    Light.SPEAKING_ALONE: _speaking_alone,
    Light.TROUBLE: _repeated(Step(1.0, 1.2), Step(0.1, 0.2), Step(1.0, 0.2), Step(0.1, 0.2)),
    Light.CLOSING: _repeated(Step(1.0, 1.0), Step(0.35, 0.5)),
    Light.MUTED: _repeated(Step(0.35, 0.16), Step(0.0, 0.84)),
    Light.ENDING: _moving(lambda time: (1.0 - (time % 1.2) / 1.2) ** 2),  # again, for who is dark looks dead
    Light.FAULT: _counted(0, 3),
    Light.FAULT_SOUND: _counted(0, 2),
    Light.FAULT_CLOCK: _counted(0, 4),
    Light.FAULT_NETWORK: _counted(1, 1),
    Light.FAULT_SERVICE: _counted(1, 2),
    Light.FAULT_REFUSED: _counted(2, 0),
    Light.FAULT_BUDGET: _counted(2, 1),
    Light.FAULT_BUSY: _counted(3, 0),
    Light.OFFLINE: _repeated(Step(0.6, 0.08), Step(0.0, 2.4)),
    Light.UPDATING: _repeated(Step(0.7, 1.0), Step(0.05, 1.0)),
    Light.CLAIMING: _repeated(*(Step(1.0, 0.2), Step(0.0, 0.2)) * 2, *(Step(0.15, 0.4), Step(0.0, 0.4)) * 2),
}
"""The pattern of each phase; the first step of every one that follows a press is bright."""
