"""PURE. What the profile of this board has chosen, and what the settings say otherwise."""

from __future__ import annotations

from typing import Final

from device.boards import Board, Choice
from device.doctor.findings import Finding, Outcome, Phrase

PLAIN: Final = Phrase(
    "board.plain",
    Outcome.OK,
    "no profile changes the defaults of this computer",
    "このコンピューターに既定値を変えるプロファイルはありません",
)


def check(board: Board, kept: tuple[Choice, ...], overruled: tuple[tuple[Choice, object], ...]) -> list[Finding]:
    """Return what is to be said about the profile's choices that are in force, and those that are not."""
    found = [_kept(choice)(board=str(board), key=choice.key, value=choice.value) for choice in kept]
    for choice, value in overruled:
        found.append(_overruled(choice)(board=str(board), key=choice.key, value=str(value), instead=choice.value))
    return found or [PLAIN()]


def _kept(choice: Choice) -> Phrase:
    return Phrase(
        "board.chosen",
        Outcome.NOTE,
        "the profile {board} has {key} = {value}: " + choice.en,
        "プロファイル {board} により {key} = {value}: " + choice.ja,
    )


def _overruled(choice: Choice) -> Phrase:
    return Phrase(
        "board.overruled",
        Outcome.NOTE,
        "the settings have {key} = {value}, the profile {board} would have {instead}: " + choice.en,
        "設定により {key} = {value} です。プロファイル {board} では {instead}: " + choice.ja,
    )
