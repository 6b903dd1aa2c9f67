"""What somebody sees of a lamp whose pin was watched: how bright it is, and which pattern its blinks make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from device.panel.faults import Fault
from device.panel.patterns import PATTERNS, Light, of_fault

Runs = Sequence[tuple[bool, float]]
"""Whether the pin was high, and for how many seconds, one after the other."""

FLICKER: Final = 0.03
"""Seconds; a lamp that is dark for less, or lit for less between two such, is dimmed (100 Hz) and does not blink."""

LONG: Final = 0.38
"""Seconds from which a blink is a long one: short ones have 0.12 s, long ones 0.6."""

PAUSE: Final = 0.75
"""Seconds of darkness that end a row of blinks: between blinks there are 0.25, after a row 1.4."""


@dataclass(frozen=True, slots=True)
class Blink:
    """One time that the lamp was lit, and the darkness after it, in seconds."""

    lit: float
    dark: float


def runs(text: str) -> list[tuple[bool, float]]:
    """Return what `board-light` printed."""
    return [(level == "1", int(time) / 1e6) for level, time in (line.split() for line in text.splitlines())]


def brightness(seen: Runs) -> float:
    """Return the share of the time for which the lamp was lit."""
    whole = sum(seconds for _, seconds in seen)
    return sum(seconds for lit, seconds in seen if lit) / whole if whole else 0.0


def blinks(seen: Runs) -> list[Blink]:
    """Return each time that the lamp was lit, a dimmed one as a whole; the first and the last may be cut off."""
    found: list[list[float]] = []
    for lit, seconds in _steadied(seen):
        if lit:
            found.append([seconds, 0.0])
        elif found:
            found[-1][1] = seconds
    return [Blink(*blink) for blink in found]


def _steadied(seen: Runs) -> Iterator[tuple[bool, float]]:
    """Yield runs in which gaps shorter than `FLICKER` are lit."""
    held: tuple[bool, float] | None = None
    for lit, seconds in seen:
        shown = lit or seconds < FLICKER
        if held is None or held[0] != shown:
            if held is not None:
                yield held
            held = (shown, seconds)
        else:
            held = (shown, held[1] + seconds)
    if held is not None:
        yield held


def rows(seen: Runs) -> list[str]:
    """Return each whole row of blinks, between two pauses, as dashes and dots, such as `-.`."""
    text = "".join(("-" if b.lit >= LONG else ".") + (" " if b.dark >= PAUSE else "") for b in blinks(seen))
    return text.split(" ")[1:-1]


def fault_row(fault: Fault) -> str:
    """Return the row that the robot's light makes of a fault, from the pattern itself."""
    text = ""
    for step in PATTERNS[of_fault(fault)](lambda: None):
        if step.seconds > 1.0:
            return text
        if step.brightness:
            text += "-" if step.seconds >= LONG else "."
    raise AssertionError("a pattern that never ends")


def named(seen: Runs) -> str:
    """Return what somebody would call it: a fault's name, `dark`, `offline`, `steady`, `breathing`, or `moving`."""
    lights = {fault_row(fault): str(of_fault(fault)) for fault in Fault}
    told = rows(seen)
    if told and told[0] in lights:
        return lights[told[0]]
    share = brightness(seen)
    if share < 0.005:
        return "dark"
    if share > 0.98:
        return "steady"
    whole = blinks(seen)[1:-1] or blinks(seen)
    if whole and all(blink.lit < 0.2 and blink.dark > 1.5 for blink in whole):
        return str(Light.OFFLINE)
    return "breathing" if share < 0.25 else "moving"
