"""PURE. How the panels that there are show a light: one lamp, a lamp of three colours, or two lamps side by side.

Time says it all (`patterns`), for those who see no colours. A colour says it again. Nothing is red but the on-air light:
the room must be able to tell at a glance whether strangers listen. Of two lamps, the first means that the robot is there
for you, the second that something is in the way, and what only takes a moment goes to and fro between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from device.panel.patterns import Light

Channels = tuple[float, ...]
"""The power of each lamp, 0 to 1."""


class Kind(StrEnum):
    """What the talk light is made of."""

    ONE = "one"
    RGB = "rgb"
    PAIR = "pair"


_WHITE: Final = (1.0, 0.85, 0.6)
_GREEN: Final = (0.0, 1.0, 0.15)
_CYAN: Final = (0.0, 0.8, 0.9)
_BLUE: Final = (0.05, 0.15, 1.0)
_AMBER: Final = (1.0, 0.45, 0.0)
_VIOLET: Final = (0.5, 0.0, 1.0)
_MAGENTA: Final = (1.0, 0.0, 0.55)

COLOURS: Final[Mapping[Light, tuple[float, float, float]]] = {
    Light.STARTING: _WHITE,
    Light.IDLE: _WHITE,
    Light.ANNOUNCING: _AMBER,
    Light.PREPARING: _WHITE,
    Light.LISTENING: _GREEN,
    Light.HOLD_TO_TALK: _GREEN,
    Light.THINKING: _BLUE,
    Light.SPEAKING: _CYAN,
    Light.SPEAKING_ALONE: _CYAN,
    Light.TROUBLE: _GREEN,
    Light.CLOSING: _GREEN,
    Light.MUTED: _AMBER,
    Light.ENDING: _WHITE,
    Light.OFFLINE: _AMBER,
    Light.UPDATING: _VIOLET,
    Light.CLAIMING: _BLUE,
    **{light: _MAGENTA for light in Light if light.startswith("fault")},
}
"""Red, green and blue at full brightness."""

_FIRST: Final = frozenset(
    {
        Light.IDLE,
        Light.LISTENING,
        Light.HOLD_TO_TALK,
        Light.THINKING,
        Light.SPEAKING,
        Light.SPEAKING_ALONE,
        Light.CLOSING,
        Light.ENDING,
    }
)
_BOTH: Final = frozenset({Light.STARTING, Light.PREPARING, Light.ANNOUNCING, Light.CLAIMING, Light.TROUBLE})
"""The brighter the first, the darker the second."""


def channels(kind: Kind, light: Light | None, brightness: float) -> Channels:
    """Return the power of each lamp for a light at this brightness of its pattern, 0 to 1; no light is white."""
    match kind:
        case Kind.ONE:
            return (brightness,)
        case Kind.RGB:
            colour = _WHITE if light is None else COLOURS[light]
            return tuple(brightness * part for part in colour)
        case Kind.PAIR:
            return _pair(light, brightness)


def _pair(light: Light | None, brightness: float) -> Channels:
    if light is None:
        return (brightness, brightness)
    if light in _BOTH:
        return (brightness, 1.0 - brightness)
    return (brightness, 0.0) if light in _FIRST else (0.0, brightness)
