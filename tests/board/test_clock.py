"""The clock is wrong by a year, as on a board that was long without power and has no network time yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from device.panel.faults import Fault
from tests.board.board import UNIT, Board
from tests.board.conftest import Tell
from tests.board.report import Line

YEAR: Final = 365 * 86_400


def test_a_clock_that_jumps_moves_nothing(board: Board, tell: Tell) -> None:
    with clock_off(board, YEAR):
        board.talk()
        board.lamp("breathing", 60)
    tell(
        Line(
            "the clock is set ahead by a year while the robot runs; somebody presses",
            "A conversation, as if nothing were: it goes by the cloud's clock.",
            seen="afterwards the light `idle` again: it breathes",
        )
    )


@pytest.mark.parametrize(("years", "wrong"), [(-1, "late by a year"), (3, "ahead by three years")])
def test_a_clock_that_is_far_off_at_the_start_is_named_and_mended(
    board: Board, tell: Tell, years: int, wrong: str
) -> None:
    with clock_off(board, years * YEAR):
        board.run(f"systemctl restart {UNIT}", 200)
        board.lamp("offline", 120)
        board.tells_after_press(Fault.CLOCK)
        since = board.cloud.now()
    began = time.monotonic()
    board.cloud.wait_phase("idle", since=since, seconds=180)
    took = time.monotonic() - began
    board.talk()
    tell(
        Line(
            f"it starts with a clock that is {wrong}; a press; then the clock is set right, and somebody presses",
            "It connects as soon as its clock is right, by itself; a conversation.",
            seen="the light `offline`; after the press `fault-clock`: four short blinks",
            heard="after the press the earcon `fault-clock`, and its words",
            seconds=took,
        )
    )


def test_a_clock_that_is_ahead_at_the_start_is_learnt_from_the_cloud(board: Board, tell: Tell) -> None:
    since = board.cloud.now()
    with clock_off(board, YEAR):
        board.run(f"systemctl restart {UNIT}", 200)
        board.cloud.wait(lambda told: told["kind"] == "state" and told["lifecycle"] != "ready", since, 60)
        board.at_rest()
        assert board.run(f"journalctl -o cat -u {UNIT} --since -5min | grep -c 'it may be ahead'") != "0"
        board.talk()
        board.lamp("breathing", 60)
    tell(
        Line(
            "it starts with a clock that is ahead by a year, after its own certificate's last day; somebody presses",
            "It connects all the same, learns the time from the cloud, and there is a conversation.",
            seen="the light `idle`: it breathes",
        )
    )


@contextmanager
def clock_off(board: Board, seconds: float) -> Iterator[None]:
    """Set the board's clock ahead by so many seconds, and in the end right again, whatever happens."""
    _set_clock(board, time.time() + seconds)
    try:
        yield
    finally:
        _set_clock(board, time.time())


def _set_clock(board: Board, to: float) -> None:
    """Set the board's clock, in Unix seconds."""
    board.run(f"date -s @{to:.0f} >/dev/null")
