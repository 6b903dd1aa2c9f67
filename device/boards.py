"""PURE. What each class of board can carry: the settings that differ, laid beneath whatever the file says.

The voice gets the same bits everywhere, because bits cost no time; what is saved on a small board is the encoder's search
for the best way to spend them, for the broadcast before the call. Nothing was measured on a board yet: one core of a Pi 4
is taken to be three times, of a Zero 2 W six times as slow as the x86-64 server of the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from device.messages.settings import Table


class Board(StrEnum):
    """A class of boards; a value in the device's settings."""

    AUTO = "auto"
    """Whatever this computer says it is; `other` where it is none of those below."""
    PI5 = "pi5"
    PI4 = "pi4"
    ZERO2W = "zero2w"
    OTHER = "other"


PROFILES: Final[Mapping[Board, Table]] = {
    Board.PI5: {"realtime": {"opus": {"complexity": 8}}},
    Board.PI4: {"realtime": {"opus": {"complexity": 4}}, "broadcast": {"complexity": 2}},
    Board.ZERO2W: {"realtime": {"opus": {"complexity": 1}}, "broadcast": {"complexity": 0}},
    Board.OTHER: {},
}
"""The settings of each, as in the file; what a board does not name is the default. At 64 kbit/s one block of speech costs
0.08 ms at complexity 0, 0.18 at 4 and 5, 0.34 from 8 on, and has PESQ-WB 3.1, 4.0 and 4.2 (libopus 1.3.1, x86-64)."""

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
