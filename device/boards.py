"""PURE. What each class of board can carry: the settings that differ, laid beneath whatever the file says.

A live conversation costs here, on one core of an x86-64 server at 2.5 GHz, what `make bench-voice` prints; one core of
a Pi 5 takes about 1.7 times as long for it, of a Pi 4 about 2.7 and of a Zero 2 W about 6 times (by their clocks and by
published single-core benchmarks; nothing was run on a board). The voice itself gets the same bits everywhere, because
they cost no time; what is saved is the search for the best way to spend them, first for the broadcast.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final


class Board(StrEnum):
    """A class of boards; a value in the device's settings."""

    AUTO = "auto"
    """Whatever this computer says it is; `other` where it is none of those below."""
    PI5 = "pi5"
    PI4 = "pi4"
    ZERO2W = "zero2w"
    OTHER = "other"


Table = Mapping[str, Any]
"""A TOML table: of values, and of tables."""

PROFILES: Final[Mapping[Board, Table]] = {
    Board.PI5: {},
    Board.PI4: {"realtime": {"opus": {"complexity": 3}}, "broadcast": {"complexity": 2}},
    Board.ZERO2W: {
        "realtime": {"opus": {"complexity": 0}},
        "broadcast": {"complexity": 0, "bit_rate": 48_000},
    },
    Board.OTHER: {},
}
"""The settings of each, as in the file; what a board does not name is the default."""

MODELS: Final[tuple[tuple[str, Board], ...]] = (
    ("Raspberry Pi 5", Board.PI5),
    ("Raspberry Pi Compute Module 5", Board.PI5),
    ("Raspberry Pi 4", Board.PI4),
    ("Raspberry Pi 400", Board.PI4),
    ("Raspberry Pi Compute Module 4", Board.PI4),
    ("Raspberry Pi 3", Board.ZERO2W),
    ("Raspberry Pi Zero 2", Board.ZERO2W),
)
"""How the names begin that `/proc/device-tree/model` gives; a Pi 3 has the cores of a Zero 2 W."""


def recognised(model: str) -> Board:
    """Return the class of the board that calls itself `model`; `OTHER` for what is none of them."""
    return next((board for name, board in MODELS if model.startswith(name)), Board.OTHER)


def laid_beneath(profile: Table, table: Table) -> dict[str, Any]:
    """Return `table` with what it does not say taken from `profile`, table by table."""
    merged = dict(profile)
    for key, value in table.items():
        below = profile.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = laid_beneath(below, value) if both else value  # type: ignore[arg-type]  # both are tables
    return merged
