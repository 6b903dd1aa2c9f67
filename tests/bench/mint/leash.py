"""What a report costs the leash, whatever the number of sessions that go on; and how long a halt takes to the last call."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from device.messages.reports import DeviceState, Lifecycle
from provisioning.halts import Halt
from provisioning.hanging_up import AT_ONCE
from provisioning.leash import HALT_SECONDS, Leash, Reins
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.watch import Watch
from tests.bench.rows import Row, at_most
from tests.provisioning.minting_bench import Bench, minting_bench
from tests.provisioning.naive_watch import Naive

FEW, MANY = 100, 10_000
"""Sessions that go on."""

SILENCE = 60.0
HEARTBEAT = 10.0
"""Seconds between two reports of one device."""


@dataclass
class Watched:
    """A watch with its sessions, and the time that it is for them."""

    watch: Watch
    sessions: int
    reports: int = 0

    @classmethod
    def full(cls, kind: type[Watch], sessions: int) -> Watched:
        """Return one that watches as many, each on a device of its own."""
        watch = kind(15.0, SILENCE)
        for number in range(sessions):
            watch.granted(Session(f"s{number}", f"robot-{number}", "button", 0.0, 1e9), 0.0)
        return cls(watch, sessions)

    def report(self) -> None:
        """Take the next device's card, and do what the leash does for it."""
        number, self.reports = self.reports % self.sessions, self.reports + 1
        now = HEARTBEAT * self.reports / self.sessions
        card = DeviceState(device=f"robot-{number}", lifecycle=Lifecycle.READY, session=f"s{number}")
        self.watch.heard(card.device, now)
        self.watch.on_state(card, now)
        assert not self.watch.due(now)
        self.watch.next_due()

    def microseconds(self, reports: int) -> float:
        """Return the processor's time for one report."""
        start = time.process_time()
        for _ in range(reports):
            self.report()
        return 1e6 * (time.process_time() - start) / reports


def cost(kind: type[Watch], reports: int, rounds: int) -> dict[int, float]:
    """Return what one report costs with few and with many sessions, in microseconds: the median of rounds by turns."""
    full = {sessions: Watched.full(kind, sessions) for sessions in (FEW, MANY)}
    taken: dict[int, list[float]] = {sessions: [] for sessions in full}
    for turn in range(rounds + 1):
        for sessions, watched in full.items():
            found = watched.microseconds(reports)
            if turn:  # in the first, every device is heard of for the first time
                taken[sessions].append(found)
    return {sessions: statistics.median(found) for sessions, found in taken.items()}


def reports() -> list[Row]:
    """Compare what a report costs, and what it would cost to look at every session each time."""
    quick, naive = cost(Watch, 2 * MANY, 5), cost(Naive, 40, 3)
    peers = {f"us with {FEW}": quick[FEW], f"us with {MANY}": quick[MANY], "looking at all": naive[MANY] / naive[FEW]}
    what = f"time per report to the leash with {MANY:,} live sessions, of that with {FEW}"
    ratio = at_most(what, quick[MANY] / quick[FEW], "times", 2.5)
    return [Row(ratio.name, ratio.value, ratio.unit, ratio.must, "", peers, ratio.ok)]


async def halted(folder: Path, sessions: int, latency: float) -> list[Row]:
    """Halt a fleet in which as many talk; the service takes `latency` seconds for each call that it hangs up."""
    async with minting_bench(folder) as bench, _talking(bench, sessions, latency) as done:
        start = time.perf_counter()
        async with bench.store.transaction() as t:
            await t.halts.halt(Halt(time.time(), "admin", "bench"))
        async with asyncio.timeout(120):
            while not done():
                await asyncio.sleep(0.01)
        seconds = time.perf_counter() - start
    assert len(set(bench.realtime.hung_up)) == sessions
    least = HALT_SECONDS + latency * sessions / AT_ONCE
    row = at_most(f"a halt, to the last of {sessions:,} calls", seconds, "s", 10.0)
    peers = {"one after the other": latency * sessions, f"{AT_ONCE} at once": least}
    return [Row(row.name, row.value, row.unit, row.must, "", peers, row.ok)]


@asynccontextmanager
async def _talking(bench: Bench, sessions: int, latency: float) -> AsyncIterator[Callable[[], bool]]:
    async with bench.store.transaction() as t:
        for number in range(sessions):
            name = f"robot-{number}"
            await t.devices.enrol("", Certificate(f"{number:x}", name, f"key {number}", 0.0, 4e9))
            await t.sessions.add(Session(f"s{number}", name, "button", time.time(), 4e9))
            await t.sessions.set_call(f"s{number}", name, f"rtc_{number}")
    bench.realtime.latency = latency
    leash = asyncio.create_task(Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0)).run())
    await asyncio.sleep(HALT_SECONDS / 2)
    try:
        yield lambda: len(bench.realtime.hung_up) >= sessions
    finally:
        leash.cancel()
        await asyncio.gather(leash, return_exceptions=True)
