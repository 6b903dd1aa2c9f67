"""Whether a live session fits on each class of board, with 30 % to spare: `make budget`.

There is no board here. A board's share is what one of its cores does in a second, as part of what one core of the server
does for which `device/boards.py` was written. First the session runs freely and its processor time is counted; then it
runs with 70 % of the board's share and no more, by a quota of the kernel, and must still keep up: a conversation comes about, the
event loop is in time for the blocks, and the sound card misses hardly more than it does freely on this computer. All threads must do with the share of one core,
although these boards have four: much of the work waits for the interpreter's lock. Where this user may set no quota, only
the count is left, and said so. Count and quota are of this computer at its usual speed: how fast it is just now is looked at all
the time (`tests/bench/speed.py`), and the quota follows it.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from device.boards import Board
from tests.bench import live
from tests.bench.parts import taken_apart
from tests.bench.rows import Row, at_least, at_most, table, write
from tests.bench.trial import IN_TIME_MS, MOST_XRUNS, SHARES, SPARE, Run, settings, started
from tests.pulse import pulse_server


def mean(runs: list[Run]) -> Run:
    """Return the mean of those runs of one kind in which somebody talked, not a number where in none; in all, or not in all."""
    throttled = [run.throttled for run in runs if run.throttled is not None]
    talked = [run for run in runs if run.talked] or [Run(math.nan, math.nan, math.nan)]
    return Run(
        statistics.fmean(run.cores for run in talked),
        statistics.fmean(run.lag for run in talked),
        statistics.fmean(run.xruns for run in talked),
        statistics.fmean(throttled) if throttled else None,
        all(run.talked for run in runs),
        statistics.fmean(run.speed for run in runs),
    )


async def turns(
    trial: Callable[[float | None], Awaitable[Run | None]], share: float, rounds: int
) -> tuple[Run, Run | None]:
    """Run freely and with `share` of a core, by turns; return the means, None for the second where nothing can be held."""
    free, held = list[Run](), list[Run]()
    for _ in range(rounds):
        for runs, given in ((free, None), (held, share)):
            if (run := await trial(given)) is not None:
                runs.append(run)
                print(f"  {'freely' if given is None else 'held'}: {_told(run)}", file=sys.stderr)
    return mean(free), mean(held) if held else None


def _told(run: Run) -> str:
    return (
        f"{100 * run.cores:.1f} % of a core at usual speed, now {100 * run.speed:.0f} % of that,"
        f" {run.lag:.1f} ms, {run.xruns:.1f} gaps a minute"
    )


async def measured(folder: Path, boards: list[Board], picture: str | None, seconds: float, rounds: int) -> list[Row]:
    """Return the rows of every board, each the mean of `rounds` runs that took turns: free, held, free, held."""
    rows: list[Row] = []
    (folder / "pulse").mkdir()
    with pulse_server(folder / "pulse", shared_memory=True) as pulse, pulse.echo_path(live.ECHO_MS):
        async with live.cloud(folder / "stage", pulse) as (stage, config):
            plain = config.read_text()
            for board in boards:
                print(f"{board}:", file=sys.stderr)
                config.write_text(settings(plain, board, {"broadcast": {"picture": picture}} if picture else {}))
                free, held = await turns(
                    partial(started, stage, config, folder, pulse, seconds), SHARES[board] * (1.0 - SPARE), rounds
                )
                rows += [*spent(board, free), *kept_up(board, free, held)]
    return rows


def spent(board: Board, run: Run) -> Iterator[Row]:
    """Yield what the session takes, freely, of one core here and of one core there; how fast it was here is said."""
    yield Row(f"{board}, speed of this computer, by its usual", 100 * run.speed, "%")
    yield Row(f"{board}, of one core here", 100 * run.cores, "%")
    yield at_most(f"{board}, of one core there", 100 * run.cores / SHARES[board], "%", 100 * (1 - SPARE))


def kept_up(board: Board, free: Run, run: Run | None) -> Iterator[Row]:
    """Yield how it keeps up with 70 % of the board's share, beside how it does freely."""
    if run is None or run.throttled is None:
        print(f"{board}: no quota can be set here (cgroup cpu, as root); only the count above is left", file=sys.stderr)
        return
    name = f"{board}, with 70 % of its core"
    yield Row(f"{name}, periods in which it wanted more", 100 * run.throttled, "%")
    yield at_least(f"{name}, conversations", float(run.talked), "", 1)
    if run.talked:
        lag = at_most(f"{name}, event-loop lag, p99", run.lag, "ms", IN_TIME_MS)
        xruns = at_most(f"{name}, xruns in a minute", run.xruns, "", free.xruns + MOST_XRUNS)
        for row, freely in ((lag, free.lag), (xruns, free.xruns)):
            yield replace(row, ok=None if free.disturbed else row.ok, peers={"freely": freely})


def verdict(board: Board, rows: list[Row]) -> str:
    """Return in words whether a session fits on the board."""
    its = [row for row in rows if row.name.startswith(f"{board},")]
    mine = [row for row in its if row.ok is not None]
    tried = any("event-loop lag" in row.name or ("conversations" in row.name and not row.ok) for row in mine)
    missed = [row.name.removeprefix(f"{board}, ") for row in mine if not row.ok]
    if missed:
        return f"{board}: does not fit: {'; '.join(missed)}"
    return f"{board}: fits, with 30 % to spare" + ("" if tried else ", by the count alone: the trial told nothing here")


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="make budget", description=__doc__)
    parser.add_argument("--board", choices=[str(board) for board in SHARES], action="append", help="default: all")
    parser.add_argument("--picture", choices=["off", "captions", "character"], help="default: as the profile has it")
    parser.add_argument("--parts", action="store_true", help="what each part costs, in place of whether all fits")
    parser.add_argument("--rounds", type=int, default=3, help="of each conversation (default: %(default)d)")
    parser.add_argument("--seconds", type=float, default=24.0, help="of each conversation (default: %(default)g)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    boards = [Board(name) for name in args.board or SHARES]
    with tempfile.TemporaryDirectory(prefix="kaiwa-budget-") as folder:
        if args.parts:
            rows = asyncio.run(taken_apart(Path(folder), boards, args.seconds, args.rounds))
        else:
            rows = asyncio.run(measured(Path(folder), boards, args.picture, args.seconds, args.rounds))
    print(table(rows))
    for board in () if args.parts else boards:
        print(verdict(board, rows))
    if args.json:
        write(rows, args.json)


if __name__ == "__main__":
    main()
