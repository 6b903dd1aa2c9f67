"""Whether a live session fits on each class of board, with 30 % to spare: `make budget`.

There is no board here. A board's share is what one of its cores does in a second, as part of what one core of the server
does for which `device/boards.py` was written. First the session runs freely and its processor time is counted; then it
runs with 70 % of the board's share and no more, by a quota of the kernel, and must still keep up: a conversation comes about, the
event loop is in time for the blocks, and the sound card misses hardly more than it does freely on this computer. All threads must do with the share of one core,
although these boards have four: much of the work waits for the interpreter's lock. Where this user may set no quota, only
the count is left, and said so.

The conversation is that of `tests/bench/live.py`: a question every eight seconds, over PulseAudio, broadcast included; the
robot tells of itself as often as by default, and not as often as in the demo.

With `--parts` there is no quota: the session runs with one thing after the other otherwise than the board's profile has it,
each just after a run as the profile has it, `--rounds` times, so that what else the computer does falls on both alike. What a
part costs is the median of the differences.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import tomlkit

from device.boards import Board
from device.messages.settings import Table, laid_over
from provisioning.local.demo.perform import Stage
from provisioning.local.demo.watch import DemoError
from tests.bench import live
from tests.bench.quota import Quota, quota
from tests.bench.rows import Row, at_least, at_most, table, write
from tests.pulse import PulseServer, pulse_server

SPARE: Final = 0.30
SHARES: Final = {Board.PI5: 1 / 1.75, Board.PI4: 1 / 3, Board.ZERO2W: 1 / 6}
"""One core of each as part of one core of the 2.5 GHz x86-64 server: estimates, for want of boards. Pi 4 and Zero 2 W as in
`device/boards.py`; Pi 5 from 35 to 40 % of the server's core becoming 60 to 70 % of its own."""
IN_TIME_MS: Final = 20.0
"""Lateness of the event loop, at the 99th percentile, that no block is lost by: one block."""


METERS_SECONDS: Final = 4.0
"""Between two messages of meters: more often than by default, because they are looked at."""

MOST_XRUNS: Final = 6.0
"""Gaps in a minute, beyond those of the free run, that nobody minds: one in ten seconds."""


Pair = tuple[float, float]
"""Seconds of processor time in a second, as the profile has it and otherwise; not a number where nobody talked."""

PARTS: Final[Mapping[str, Table]] = {
    "with the canceller": {"echo": {"mode": "aec3"}},
    "with half duplex": {"echo": {"mode": "half-duplex"}},
    "without echo control": {"echo": {"mode": "none"}},
    "without the broadcast": {"broadcast": {"enabled": False}},
    "packets of 20 ms": {"realtime": {"opus": {"packet_ms": 20}}, "broadcast": {"packet_ms": 20}},
    "packets of 40 and 60 ms": {"realtime": {"opus": {"packet_ms": 40}}, "broadcast": {"packet_ms": 60}},
    "calls of the speaker every 10 ms": {"sound": {"frames": 480}},
    "calls of the speaker every 20 ms": {"sound": {"frames": 960}},
    "both encoders at complexity 5": {"realtime": {"opus": {"complexity": 5}}, "broadcast": {"complexity": 5}},
    "a picture with captions": {"broadcast": {"picture": "captions"}},
}
"""What may be otherwise than the profile has it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One conversation; `lag` and `xruns` mean nothing where none came about."""

    cores: float
    """Seconds of processor time in a second."""
    lag: float = 0.0
    """Lateness of the event loop in ms, 99th percentile."""
    xruns: float = 0.0
    """Times that the sound card was too late or had too much, in a minute."""
    throttled: float | None = None
    """Share of the periods in which it wanted more; None where there was no quota."""
    talked: bool = True

    @property
    def disturbed(self) -> bool:
        """Whether this computer had so much else to do that not even a free run was in time."""
        return self.lag > IN_TIME_MS or self.xruns > MOST_XRUNS


async def conversation(stage: Stage, pid: int, pulse: PulseServer, seconds: float, limited: Quota | None) -> Run:
    """Let the device talk, within `limited` if that is given."""
    metrics = await stage.watch.until("meters", lambda: stage.watch.metrics)
    before = _xruns(metrics.counters)
    if limited is not None:
        limited.hold(pid)
    try:
        minute, counters = await live.ours(pulse, stage, pid, seconds)
    except DemoError as error:
        print(f"no conversation: {error}", file=sys.stderr)
        return Run(0.0, throttled=limited.throttled if limited else None, talked=False)
    xruns = (_xruns(counters) - before) * 60.0 / (seconds + live.EVERY)
    return Run(minute.cpu / 60.0, counters["loop_lag_p99_ms"], xruns, limited.throttled if limited else None)


def _xruns(counters: dict[str, float]) -> float:
    return counters["input_xruns"] + counters["output_xruns"]


async def started(
    stage: Stage, config: Path, folder: Path, pulse: PulseServer, seconds: float, share: float | None
) -> Run | None:
    """Start the device and let it talk, freely or with `share` of one core; None where that cannot be given."""
    stage.watch.metrics = None
    async with live.device(config, folder) as (pid, _):
        await stage.watch.phase("idle", seconds=60)
        if share is None:
            return await conversation(stage, pid, pulse, seconds, None)
        with quota(share) as limited:
            return None if limited is None else await conversation(stage, pid, pulse, seconds, limited)


def settings(plain: str, board: Board, otherwise: Table) -> str:
    """Return the settings of the demo's robot as one of a board, with what is `otherwise` than its profile has it."""
    usual: Table = {"board": str(board), "report": {"metrics_seconds": METERS_SECONDS, "heartbeat_seconds": 10.0}}
    return tomlkit.dumps(laid_over(otherwise, laid_over(usual, tomllib.loads(plain))))


async def measured(folder: Path, boards: list[Board], picture: str | None, seconds: float) -> list[Row]:
    """Return the rows of every board."""
    rows: list[Row] = []
    (folder / "pulse").mkdir()
    with pulse_server(folder / "pulse", shared_memory=True) as pulse, pulse.echo_path(live.ECHO_MS):
        async with live.cloud(folder / "stage", pulse) as (stage, config):
            plain = config.read_text()
            for board in boards:
                config.write_text(settings(plain, board, {"broadcast": {"picture": picture}} if picture else {}))
                free = await started(stage, config, folder, pulse, seconds, None)
                slow = await started(stage, config, folder, pulse, seconds, SHARES[board] * (1.0 - SPARE))
                rows += [*spent(board, free or Run(0.0)), *kept_up(board, free or Run(0.0), slow)]
    return rows


async def taken_apart(folder: Path, boards: list[Board], seconds: float, rounds: int) -> list[Row]:
    """Return what each part takes on every board."""
    (folder / "pulse").mkdir()
    with pulse_server(folder / "pulse", shared_memory=True) as pulse, pulse.echo_path(live.ECHO_MS):
        async with live.cloud(folder / "stage", pulse) as (stage, config):
            plain = config.read_text()
            rows: list[Row] = []
            for board in boards:
                pairs: dict[str, list[Pair]] = {name: [] for name in PARTS}
                for name, otherwise in rounds * list(PARTS.items()):
                    pair = []
                    for over in ({}, otherwise):
                        config.write_text(settings(plain, board, over))
                        run = await started(stage, config, folder, pulse, seconds, None)
                        pair.append(run.cores if run is not None and run.talked else math.nan)
                    pairs[name].append((pair[0], pair[1]))
                    print(
                        f"{board}, {name}: {100 * pair[0]:.1f}, {100 * pair[1]:.1f} % of one core here", file=sys.stderr
                    )
                rows += parts(board, pairs)
    return rows


def parts(board: Board, pairs: Mapping[str, list[Pair]]) -> Iterator[Row]:
    """Yield what a session takes as the profile has it, and what each part takes more, of one core here and there."""
    usual = [before for runs in pairs.values() for before, _ in runs]
    yield _part(f"{board}, all of it", usual, SHARES[board])
    for name, runs in pairs.items():
        yield _part(f"{board}, {name}, more", [after - before for before, after in runs], SHARES[board])


def _part(name: str, costs: list[float], share: float) -> Row:
    taken = statistics.median([cost for cost in costs if not math.isnan(cost)] or [math.nan])
    return Row(name, 100 * taken, "% here", peers={"% there": 100 * taken / share})


def spent(board: Board, run: Run) -> Iterator[Row]:
    """Yield what the session takes, freely, of one core here and of one core there."""
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
    parser.add_argument("--rounds", type=int, default=3, help="of the parts (default: %(default)d)")
    parser.add_argument("--seconds", type=float, default=64.0, help="of each conversation (default: %(default)g)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    boards = [Board(name) for name in args.board or SHARES]
    with tempfile.TemporaryDirectory(prefix="kaiwa-budget-") as folder:
        if args.parts:
            rows = asyncio.run(taken_apart(Path(folder), boards, args.seconds, args.rounds))
        else:
            rows = asyncio.run(measured(Path(folder), boards, args.picture, args.seconds))
    print(table(rows))
    for board in () if args.parts else boards:
        print(verdict(board, rows))
    if args.json:
        write(rows, args.json)


if __name__ == "__main__":
    main()
