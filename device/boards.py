"""PURE. What each class of board can carry: the settings that differ, laid beneath whatever the file says, and why.

The voice gets the same bits everywhere, because bits cost no time. What is saved on a small board is the encoder's search for
the best way to spend them, for the broadcast before the call; then packets, each of which costs its way through Python
and the kernel; and on the smallest the canceller. docs/boards.md has the figures; nothing was measured on a board yet: one
core of a Pi 4 is taken to be three times, of a Zero 2 W six times as slow as the x86-64 server of the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from device.messages.settings import Table


class Board(StrEnum):
    """A class of boards; a value in the device's settings."""

    AUTO = "auto"
    """Whatever this computer says it is; `other` where it is none of those below."""
    PI5 = "pi5"
    PI4 = "pi4"
    ZERO2W = "zero2w"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting of a class of boards, and why, in two languages."""

    key: str
    """As in the file, with its tables: `realtime.opus.complexity`."""
    value: str | int
    en: str
    ja: str


_COMPLEXITY_EN: Final = "the encoder may take its share of this board's core and no more"
_COMPLEXITY_JA: Final = "この基板のコアに見合う負荷に抑えるため"
_PACKETS_EN: Final = "fewer packets, each of which costs the same however long it is"
_PACKETS_JA: Final = "パケットは長さによらず同じ負荷がかかるため、数を減らします"

CHOICES: Final[Mapping[Board, tuple[Choice, ...]]] = {
    Board.PI5: (Choice("realtime.opus.complexity", 8, _COMPLEXITY_EN, _COMPLEXITY_JA),),
    Board.PI4: (
        Choice("realtime.opus.complexity", 4, _COMPLEXITY_EN, _COMPLEXITY_JA),
        Choice("broadcast.complexity", 2, _COMPLEXITY_EN, _COMPLEXITY_JA),
    ),
    Board.ZERO2W: (
        Choice(
            "echo.mode",
            "half-duplex",
            "a canceller leaves too little time to spare beside a broadcast: the microphone is closed while the robot"
            " speaks, so nobody can interrupt it by voice",
            "配信中はエコー除去に足る余裕がないため、話している間はマイクを閉じます。声で割り込めません",
        ),
        Choice("realtime.opus.complexity", 1, _COMPLEXITY_EN, _COMPLEXITY_JA),
        Choice("realtime.opus.packet_ms", 40, _PACKETS_EN, _PACKETS_JA),
        Choice("broadcast.complexity", 0, _COMPLEXITY_EN, _COMPLEXITY_JA),
        Choice("broadcast.packet_ms", 60, _PACKETS_EN, _PACKETS_JA),
        Choice(
            "broadcast.picture", "off", "a picture does not fit beside a conversation", "会話中に映像の余裕がないため"
        ),
        Choice(
            "sound.frames",
            1920,
            "the sound card asks for sound a quarter as often, and has more in hand: 80 ms in place of 20, by what PortAudio says",
            "サウンドカードの呼び出しを4分の1に減らし、余裕を持たせます (PortAudio の値で 20 ms が 80 ms に)",
        ),
    ),
    Board.OTHER: (),
}
"""What each has otherwise than the defaults. At 64 kbit/s one block of speech costs 0.08 ms at complexity 0, 0.18 at 4 and
5, 0.34 from 8 on, and has PESQ-WB 3.1, 4.0 and 4.2 (libopus 1.3.1, x86-64)."""


def _nested(choices: tuple[Choice, ...]) -> Table:
    table: dict[str, Any] = {}
    for choice in choices:
        *path, name = choice.key.split(".")
        place = table
        for part in path:
            place = place.setdefault(part, {})
        place[name] = choice.value
    return table


PROFILES: Final[Mapping[Board, Table]] = {board: _nested(choices) for board, choices in CHOICES.items()}
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
