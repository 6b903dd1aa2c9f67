"""What `make budget` concludes, and that the kernel's quota holds a program to its share."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from device.boards import Board
from device.config import explain, load
from device.messages.settings import flattened
from tests.bench.budget import kept_up, mean, spent, turns, verdict
from tests.bench.parts import PARTS, parts
from tests.bench.processes import cost
from tests.bench.quota import quota
from tests.bench.speed import LATELY, USUAL_US, Speed, look, turn
from tests.bench.trial import SHARES, SPARE, Run, settings

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
    [speed, here, there] = spent(Board.ZERO2W, replace(FREE, cores=0.1, speed=0.8))
    assert speed.value == pytest.approx(80.0)
    assert here.value == pytest.approx(10.0)
    assert there.value == pytest.approx(60.0)
    assert there.must == f"<= {100 * (1 - SPARE):g}"


def test_the_mean_of_runs_is_of_all_that_was_counted_and_of_the_worst_that_was_said() -> None:
    free = mean([Run(0.2, 4.0, 2.0), Run(0.3, 6.0, 0.0, speed=0.5)])
    assert (free.cores, free.lag, free.xruns, free.throttled, free.talked, free.speed) == (
        0.25,
        5.0,
        1.0,
        None,
        True,
        0.75,
    )
    held = mean([Run(0.2, throttled=0.1), Run(0.0, throttled=0.3, talked=False)])
    assert held.throttled == pytest.approx(0.2)
    assert (held.cores, held.talked) == (0.2, False)


def test_a_board_on_which_nobody_talked_has_no_count_that_fits() -> None:
    free = mean([Run(0.0, talked=False)])
    assert math.isnan(free.cores)
    assert verdict(Board.PI4, [*spent(Board.PI4, free)]) == "pi4: does not fit: of one core there"


async def test_free_and_held_runs_take_turns_where_a_share_can_be_held() -> None:
    asked = list[float | None]()

    async def trial(share: float | None) -> Run | None:
        asked.append(share)
        return FREE if share is None else None

    free, held = await turns(trial, 0.1, 2)
    assert asked == [None, 0.1, None, 0.1]
    assert free.cores == pytest.approx(FREE.cores)
    assert held is None


def test_what_a_part_takes_is_the_median_difference_of_runs_next_to_one_another() -> None:
    rows = list(parts(Board.ZERO2W, {"a": [(0.10, 0.12), (0.16, 0.17), (0.11, math.nan)], "b": [(0.11, 0.10)]}))
    assert [row.name for row in rows] == ["zero2w, all of it", "zero2w, a, more", "zero2w, b, more"]
    assert [row.value for row in rows] == pytest.approx([11.0, 1.5, -1.0])
    assert rows[1].peers["% there"] == pytest.approx(9.0)


def test_the_settings_of_a_trial_are_the_profile_but_for_what_is_tried(tmp_path: Path) -> None:
    for otherwise in PARTS.values():
        path = tmp_path / "device.toml"
        path.write_text(settings('state_dir = "x"\n[report]\nheartbeat_seconds = 0.5\n', Board.ZERO2W, otherwise))
        loaded = load(path)
        assert (loaded.board, loaded.state_dir, loaded.report.heartbeat_seconds) == ("zero2w", "x", 10.0)
        said = {key for key, _, source in explain(path) if source == "file"}
        assert said - set(flattened(otherwise)) == {
            "board", "state_dir", "report.metrics_seconds", "report.heartbeat_seconds"
        }  # fmt: skip


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
            assert limited.throttled > 0.1  # and not 1.0 where others leave it less than its share
        finally:
            busy.kill()
            busy.wait()
    assert not limited.folder.exists()


def test_a_quota_follows_the_speed_of_this_computer() -> None:
    with quota(0.1) as limited:
        if limited is None:
            pytest.skip("this user may set no quota")
        limited.give(0.25)
        given = [path for name in ("cpu.max", "cpu.cfs_quota_us") if (path := limited.folder / name).exists()]
        assert given[0].read_text().split()[0] == "2500"


def test_a_look_takes_processor_time_and_tells_how_fast_that_is() -> None:
    speed = Speed()
    assert (speed.now, speed.mean) == (1.0, 1.0)
    for _ in range(LATELY):
        speed.saw(USUAL_US)
    for _ in range(LATELY):
        speed.saw(2.0 * USUAL_US)
    assert speed.now == pytest.approx(0.5)
    assert speed.mean == pytest.approx(2.0 / 3.0)
    assert 0.0 < look(0) < 10_000.0
    assert turn(3) == turn(3) != turn(4)
