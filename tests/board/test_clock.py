"""The clock is wrong by a year, as on a board that was long without power and has no network time yet."""

from __future__ import annotations

import time
from typing import Final

from device.panel.faults import Fault
from tests.board.board import UNIT, Board
from tests.board.conftest import Tell
from tests.board.report import Line

YEAR: Final = 365 * 86_400


def test_a_clock_that_jumps_moves_nothing(board: Board, tell: Tell) -> None:
    set_clock(board, time.time() + YEAR)
    since = board.cloud.now()
    board.press()
    board.cloud.wait_phase("listening", since=since, seconds=120)
    board.press()
    board.cloud.wait_phase("idle", since=since, seconds=60)
    set_clock(board, time.time())
    tell(
        Line(
            "the clock is set ahead by a year while the robot runs; somebody presses",
            "A conversation, as if nothing were: it goes by the cloud's clock.",
        )
    )


def test_a_clock_that_is_late_by_a_year_is_named_and_mended(board: Board, tell: Tell) -> None:
    set_clock(board, time.time() - YEAR)
    board.run(f"systemctl restart {UNIT}", 200)
    board.lamp("offline", 120)
    board.shows_after_press(Fault.CLOCK)
    since = board.cloud.now()
    set_clock(board, time.time())
    began = time.monotonic()
    board.cloud.wait_phase("idle", since=since, seconds=180)
    tell(
        Line(
            "it starts with a clock that is late by a year; a press; then the clock is set right",
            "It connects as soon as its clock is right, by itself.",
            seen="the light `offline`; after the press `fault-clock`: four short blinks",
            seconds=time.monotonic() - began,
        )
    )


def set_clock(board: Board, to: float) -> None:
    """Set the board's clock, in Unix seconds."""
    board.run(f"date -s @{to:.0f} >/dev/null")
