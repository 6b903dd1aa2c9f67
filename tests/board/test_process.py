"""The robot's program is killed, and frozen: systemd starts it anew."""

from __future__ import annotations

import time

import pytest

from tests.board.board import Board
from tests.board.conftest import Tell
from tests.board.report import Line

SIGNALS = {
    "KILL": ("the robot's program is killed (SIGKILL)", "signal", "systemd starts it again after 2 s."),
    "STOP": (
        "it is frozen (SIGSTOP)",
        "watchdog",
        "The watchdog, which it feeds no more, ends it, and systemd starts it again.",
    ),
}


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_program_that_fails_is_started_again(board: Board, tell: Tell, signal: str) -> None:
    before, restarts = board.main_pid(), int(board.property("NRestarts"))
    since, began = board.cloud.now(), time.monotonic()
    board.run(f"kill -{signal} {before}")
    board.cloud.wait(lambda told: told["kind"] == "state" and told["lifecycle"] == "lost", since, 120)
    since = board.cloud.now()
    board.cloud.wait_phase("idle", since=since, seconds=240)
    took = time.monotonic() - began
    assert board.main_pid() not in {0, before}
    assert int(board.property("NRestarts")) == restarts + 1
    done, why, then = SIGNALS[signal]
    assert f"Failed with result '{why}'" in board.log(200)
    board.lamp("breathing", 60)
    tell(Line(done, then, seen="afterwards the light `idle` again: it breathes", seconds=took))
