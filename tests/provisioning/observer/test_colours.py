from __future__ import annotations

import re

import pytest

from provisioning.observer.assets import STATIC

AA = 4.5
"""WCAG 2.2, 1.4.3: contrast of text below 24 px."""

GRAPHICS = 3.0
"""WCAG 2.2, 1.4.11: contrast of what is needed to understand a graphic."""

TEXT = [
    ("ink", "paper"),
    ("ink", "sheet"),
    ("ink-soft", "paper"),
    ("ink-soft", "sheet"),
    ("ink", "guest-wash"),
    ("ink", "robot-wash"),
    ("ink-soft", "robot-wash"),
    ("ink-soft", "guest-wash"),
    ("guest", "paper"),
    ("guest", "sheet"),
    ("robot", "paper"),
    ("robot", "sheet"),
    ("on-air", "air"),
    ("on-button", "button"),
    ("on-button", "button-over"),
    ("paper", "ink"),
]
SHAPES = [("guest-bright", "paper"), ("robot-bright", "paper"), ("light", "face"), ("face", "shell")]


def schemes() -> dict[str, dict[str, str]]:
    css = (STATIC / "base.css").read_text()
    light, dark = (re.search(r":root \{(.*?)\}", part, re.DOTALL) for part in css.split("@media", 2)[:2])
    assert light is not None
    assert dark is not None
    colours = [dict(re.findall(r"--([\w-]+): (#\w+);", found[1])) for found in (light, dark)]
    return {"light": colours[0], "dark": {**colours[0], **colours[1]}}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_shapes_stand_out(scheme: str) -> None:
    colours = schemes()[scheme]
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT + SHAPES}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < (AA if pair in TEXT else GRAPHICS)} == {}
