"""One live session of the device as one of a class of boards, freely or held to a share of a core: what it took, and whether it kept up.

The conversation is that of `tests/bench/live.py`: a question every eight seconds, over PulseAudio, broadcast included; the
robot tells of itself as often as by default, and not as often as in the demo. How fast this computer is just now is looked at
all the time (`tests/bench/speed.py`): what is counted is of its usual speed, and a share follows it.
"""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tomlkit

from device.boards import Board
from device.messages.settings import Table, laid_over
from provisioning.local.demo.perform import Stage
from provisioning.local.demo.watch import DemoError
from tests.bench import live
from tests.bench.quota import Quota, quota
from tests.bench.speed import Speed, watched
from tests.pulse import PulseServer

SPARE: Final = 0.30
SHARES: Final = {Board.PI5: 1 / 1.75, Board.PI4: 1 / 3, Board.ZERO2W: 1 / 6}
"""One core of each as part of one core of the server of docs/boards.md, which says what there is to hold these estimates against.
Pi 4 and Zero 2 W as in `device/boards.py`."""
IN_TIME_MS: Final = 20.0
"""Lateness of the event loop, at the 99th percentile, that no block is lost by: one block."""

MOST_XRUNS: Final = 6.0
"""Gaps in a minute, beyond those of the free run, that nobody minds: one in ten seconds."""

FOLLOW_SECONDS: Final = 1.0
"""Between two settings of the quota by the speed of this computer."""

METERS_SECONDS: Final = 4.0
"""Between two messages of meters: more often than by default, because they are looked at."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a device may use: a share of one core of this computer at its usual speed."""

    quota: Quota
    share: float


@dataclass(frozen=True, slots=True)
class Run:
    """One conversation; `lag` and `xruns` mean nothing where none came about."""

    cores: float
    """Seconds of processor time in a second, as this computer is usually: at the speed it had, times that speed."""
    lag: float = 0.0
    """Lateness of the event loop in ms, 99th percentile."""
    xruns: float = 0.0
    """Times that the sound card was too late or had too much, in a minute."""
    throttled: float | None = None
    """Share of the periods in which it wanted more; None where there was no quota."""
    talked: bool = True
    speed: float = 1.0
    """How fast this computer was, by its usual speed."""

    @property
    def disturbed(self) -> bool:
        """Whether this computer had so much else to do that not even a free run was in time."""
        return self.lag > IN_TIME_MS or self.xruns > MOST_XRUNS


async def conversation(stage: Stage, pid: int, pulse: PulseServer, seconds: float, limit: Limit | None) -> Run:
    """Let the device talk, within `limit` if that is given."""
    metrics = await stage.watch.until("meters", lambda: stage.watch.metrics)
    before = _xruns(metrics.counters)
    with watched() as speed:
        async with _held(pid, limit, speed):
            try:
                minute, counters = await live.ours(pulse, stage, pid, seconds)
            except DemoError as error:
                print(f"no conversation: {error}", file=sys.stderr)
                return Run(0.0, throttled=limit.quota.throttled if limit else None, talked=False, speed=speed.mean)
    xruns = (_xruns(counters) - before) * 60.0 / (seconds + live.EVERY)
    throttled = limit.quota.throttled if limit else None
    return Run(minute.cpu / 60.0 * speed.mean, counters["loop_lag_p99_ms"], xruns, throttled, speed=speed.mean)


@asynccontextmanager
async def _held(pid: int, limit: Limit | None, speed: Speed) -> AsyncIterator[None]:
    """Hold a process to a limit, which is more of a core while this computer is slower."""
    if limit is None:
        yield
        return
    limit.quota.hold(pid)
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(_follow(limit, speed), name="follow the speed")
        yield
        following.cancel()


async def _follow(limit: Limit, speed: Speed) -> None:
    while True:
        limit.quota.give(limit.share / speed.now)
        await asyncio.sleep(FOLLOW_SECONDS)


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
        with quota(share) as given:
            return None if given is None else await conversation(stage, pid, pulse, seconds, Limit(given, share))


def settings(plain: str, board: Board, otherwise: Table) -> str:
    """Return the settings of the demo's robot as one of a board, with what is `otherwise` than its profile has it."""
    usual: Table = {"board": str(board), "report": {"metrics_seconds": METERS_SECONDS, "heartbeat_seconds": 10.0}}
    return tomlkit.dumps(laid_over(otherwise, laid_over(usual, tomllib.loads(plain))))
