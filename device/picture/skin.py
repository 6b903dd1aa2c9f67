"""PURE. What the picture is made of: its colours, the character, and the shapes of its eyes and its mouth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from PIL import Image, ImageColor

from device.messages.settings import Settings
from device.picture.look import Gaze, Lids, Look

WIDTH: Final = 640
HEIGHT: Final = 360
"""Pixels; both even, as 4:2:0 needs it."""
READABLE: Final = 4.5
"""Contrast of text by WCAG 2.2, level AA."""

Colour = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-fA-F]{6}\Z")]
At = tuple[int, int]


class Palette(Settings, frozen=True):
    """Colours, as `#rrggbb`; those of the observer page on light paper."""

    paper: Colour = "#f7f0e4"
    sheet: Colour = "#fffaf1"
    """Behind captions."""
    rim: Colour = "#e6d9c4"
    ink: Colour = "#2b2320"
    ink_soft: Colour = "#665a4e"
    guest: Colour = "#2a5b89"
    """Of visitors; their meter is `guest_bright`."""
    guest_bright: Colour = "#3d78ad"
    robot: Colour = "#a9401a"
    robot_bright: Colour = "#d9572b"
    air: Colour = "#c3232f"
    """Of the mark that says on air, on which text is `on_air`."""
    on_air: Colour = "#ffffff"

    def unreadable(self) -> list[str]:
        """Return the pairs of text and ground whose contrast is less than `READABLE`."""
        pairs = [("ink", "sheet"), ("ink", "paper"), ("ink_soft", "paper"), ("on_air", "air")]
        pairs += [(voice, ground) for voice in ("guest", "robot") for ground in ("paper", "sheet")]
        return [
            f"{text} on {ground}"
            for text, ground in pairs
            if contrast(getattr(self, text), getattr(self, ground)) < READABLE
        ]


@dataclass(frozen=True, slots=True)
class Skin:
    """The character in pieces; eyes and mouths are transparent around their shapes."""

    palette: Palette
    backdrop: Image.Image
    """All that never moves, `WIDTH` by `HEIGHT`."""
    eyes: Mapping[str, Image.Image]
    """By `eyes_of`."""
    eyes_at: At
    mouths: tuple[Image.Image, ...]
    """From closed to wide open."""
    mouth_at: At


EYES: Final = (*Gaze, Lids.CLOSED, Lids.GLAD)
"""The names of all eyes."""


def eyes_of(look: Look) -> str:
    """Return the name of the eyes that `look` has: where they look, or what they do when they are not open."""
    return look.gaze if look.lids is Lids.OPEN else look.lids


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [value / 255 for value in ImageColor.getrgb(colour)[:3]]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
