"""What `make budget` concludes, and that the kernel's quota holds a program to its share."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from device.boards import Board
from tests.bench.budget import SHARES, SPARE, Run, kept_up, spent, verdict
from tests.bench.processes import cost
from tests.bench.quota import quota

FREE, GOOD = Run(0.2, 4.0, 2.0), Run(0.2, 5.0, 3.0, throttled=0.1)


@pytest.mark.parametrize(
    ("free", "run", "words"),
    [
        (FREE, GOOD, "pi4: fits, with 30 % to spare"),
        (replace(FREE, cores=0.3), GOOD, "pi4: does not fit: of one core there"),
        (FREE, replace(GOOD, xruns=9.0), "pi4: does not fit: with 70 % of its core, xruns in a minute"),
        (FREE, replace(GOOD, lag=30.0), "pi4: does not fit: with 70 % of its core, event-loop lag, p99"),
        (FREE, replace(GOOD, talked=False), "pi4: does not fit: with 70 % of its core, conversations"),
        (FREE, None, "pi4: fits, with 30 % to spare, by the count alone: the trial told nothing here"),
        (
            replace(FREE, lag=40.0),
            replace(GOOD, lag=90.0, xruns=99.0),
            "pi4: fits, with 30 % to spare, by the count alone: the trial told nothing here",
        ),
        (
            replace(FREE, lag=40.0),
            replace(GOOD, talked=False),
            "pi4: does not fit: with 70 % of its core, conversations",
        ),
    ],
)
def test_the_verdict_is_that_of_every_bound(free: Run, run: Run | None, words: str) -> None:
    rows = [*spent(Board.PI4, free), *kept_up(Board.PI4, free, run)]
    assert verdict(Board.PI4, rows) == words


def test_the_share_of_a_board_is_of_the_core_that_its_profile_is_made_for() -> None:
    assert [board for board in Board if board not in SHARES] == [Board.AUTO, Board.OTHER]
    [here, there] = spent(Board.ZERO2W, replace(FREE, cores=0.1))
    assert here.value == pytest.approx(10.0)
    assert there.value == pytest.approx(60.0)
    assert there.must == f"<= {100 * (1 - SPARE):g}"


def test_a_program_gets_its_share_and_no_more() -> None:
    with quota(0.2) as limited:
        if limited is None:
            pytest.skip("this user may set no quota")
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            limited.hold(busy.pid)
            before, began = cost([busy.pid]).cpu, time.monotonic()
            with pytest.raises(subprocess.TimeoutExpired):
                busy.wait(0.5)
            used = (cost([busy.pid]).cpu - before) / (time.monotonic() - began)
            assert used < 0.3
            assert limited.throttled > 0.5
        finally:
            busy.kill()
            busy.wait()
    assert not limited.folder.exists()
