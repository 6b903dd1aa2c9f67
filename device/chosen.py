"""What the profile of this board has chosen for it, and what the settings file says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device.boards import CHOICES, Board, Choice
from device.config import board_of, explain, load


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choices of a board's profile."""

    board: Board
    kept: tuple[Choice, ...]
    """Those in force."""
    overruled: tuple[tuple[Choice, object], ...]
    """Those for which the file has another value, and that value."""


def chosen(path: Path) -> Chosen:
    """Return what the profile chose beneath the settings file at `path`.

    Raises:
        SettingsError: as `config.load`.
    """
    board = board_of(load(path))
    values = {key: value for key, value, _ in explain(path)}
    kept = tuple(choice for choice in CHOICES[board] if values[choice.key] == choice.value)
    others = [(choice, values[choice.key]) for choice in CHOICES[board] if choice not in kept]
    return Chosen(board, kept, tuple(others))


def told(choices: Chosen) -> Iterator[str]:
    """Yield a line for the log about each choice."""
    for choice in choices.kept:
        yield f"board {choices.board}: {choice.key} = {choice.value}: {choice.en}"
    for choice, value in choices.overruled:
        yield f"board {choices.board}: {choice.key} = {value} by the settings, instead of {choice.value}: {choice.en}"
