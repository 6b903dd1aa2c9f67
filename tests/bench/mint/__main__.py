"""Grants over Mosquitto with mutual TLS: how long they take, how many there are, and what they cost."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.mint.enrolling import enrolments, herd
from tests.bench.mint.fleet import Sizes
from tests.bench.mint.leash import halted, reports
from tests.bench.mint.load import Taken, loaded
from tests.bench.mint.pair import two
from tests.bench.mint.place import Upstream, Where, place, upstreams
from tests.bench.rows import Row, at_least, at_most, table, write


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    robots: int
    """That ask at a rate, and as many again that ask as fast as they are answered."""
    devices: int
    audit: int
    past: int
    """Sessions that each robot of the large store has had."""
    rounds: int
    enrolled: int
    herd: int
    outage: float
    """Seconds that the fleet tries in vain."""
    talking: int
    """Sessions that a halt ends."""


WHOLE = Extent(
    robots=500,
    devices=100_000,
    audit=1_000_000,
    past=3650,
    rounds=10,
    enrolled=300,
    herd=1000,
    outage=10.0,
    talking=1000,
)
QUICK = Extent(
    robots=300, devices=10_000, audit=50_000, past=365, rounds=3, enrolled=60, herd=100, outage=3.0, talking=200
)

Part = Callable[[Path, Upstream, Extent], Awaitable[list[Row]]]


async def minting(folder: Path, upstream: Upstream, extent: Extent) -> list[Row]:
    """Measure the round trip, the most grants, and the floor of both."""
    found: dict[str, tuple[Taken, Taken]] = {}
    for kind in ("floor", "cloud"):
        sizes = Sizes(robots=extent.robots, devices=extent.robots, audit=0)
        async with place(Where(folder / kind), upstream, sizes, kind) as there, loaded(there) as load:
            await load.saturating(there.robots[:100])  # what is made once, such as connections, is not counted
            found[kind] = await load.at_rate(there.robots, 100.0), await load.saturating(there.robots)
    (rate, most), (floor_rate, floor_most) = found["cloud"], found["floor"]
    p50, p99 = (percentile(rate, share) for share in (50, 99))
    return [
        _beside(at_most("mint round trip at 100/s, p50", p50, "ms", 8), percentile(floor_rate, 50)),
        _beside(at_most("mint round trip at 100/s, p99", p99, "ms", 50), percentile(floor_rate, 99)),
        _beside(at_least("grants, saturated, one worker", most.rate, "1/s", 300), floor_most.rate),
        _beside(Row("processor time of the worker per grant", most.cpu(), "ms"), floor_most.cpu()),
        Row("time that it was ready and had no processor", most.starved, "%", peers={"at 100/s": rate.starved}),
        Row("of the others that share the processors", sum(map(most.cpu, OTHERS)), "ms", peers=_each(most)),
    ]


OTHERS = ("broker", "services", "generator")


def _each(taken: Taken) -> dict[str, float]:
    return {name: taken.cpu(name) for name in OTHERS}


def _beside(row: Row, floor: float) -> Row:
    return Row(row.name, row.value, row.unit, row.must, row.aim, {"empty responder": floor}, row.ok)


def percentile(taken: Taken, share: int) -> float:
    """Return a percentile of the round trips, in milliseconds."""
    return 1000 * statistics.quantiles(taken.latencies, n=100)[share - 1]


async def large(folder: Path, upstream: Upstream, extent: Extent) -> list[Row]:
    """Compare a store of 100 devices with a large one, by turns."""
    sizes = {
        "small": Sizes(robots=100, devices=100, audit=0),
        "large": Sizes(robots=100, devices=extent.devices, audit=extent.audit, past=extent.past),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in sizes}
    async with AsyncExitStack() as stack:
        loads = {}
        for name, size in sizes.items():
            there = await stack.enter_async_context(place(Where(folder / name), upstream, size))
            loads[name] = await stack.enter_async_context(loaded(there))
        for turn in range(extent.rounds + 1):
            for name, load in loads.items():
                result = await load.saturating(load.place.robots)
                if turn:  # the first is for what is made once
                    taken[name].append(result)
    small, big = (1000 / statistics.median(one.rate for one in taken[name]) for name in ("small", "large"))
    much = f"{extent.devices:,} devices, {extent.audit:,} rows of audit and {100 * extent.past:,} sessions"
    what = f"time per grant with {much}, of that with 100 devices"
    peers = {"ms with 100": small, "ms with all": big}
    ratio = at_most(what, big / small, "times", 1.2)
    return [Row(ratio.name, ratio.value, ratio.unit, ratio.must, "", peers, ratio.ok)]


async def enrolling(folder: Path, upstream: Upstream, extent: Extent) -> list[Row]:
    """Measure enrolments over HTTPS."""
    async with place(Where(folder / "enrol"), upstream, Sizes(0, 0, 0)) as there:
        return await enrolments(there.address, extent.enrolled)


async def returning(folder: Path, upstream: Upstream, extent: Extent) -> list[Row]:
    """Have a whole fleet come back at once, before the cloud does."""
    return await herd(folder / "herd", upstream, extent.herd, extent.outage)


async def pairing(folder: Path, upstream: Upstream, extent: Extent) -> list[Row]:
    """Run two workers, and kill one."""
    return await two(folder / "pair", upstream, extent.robots // 2)


async def holding(folder: Path, _upstream: Upstream, extent: Extent) -> list[Row]:
    """Measure what a report costs, and halt a fleet."""
    return [*reports(), *await halted(folder / "leash", extent.talking, 0.2)]


PARTS: dict[str, Part] = {
    "minting": minting,
    "large": large,
    "enrolling": enrolling,
    "herd": returning,
    "pair": pairing,
    "leash": holding,
}


async def measured(names: list[str], extent: Extent) -> list[Row]:
    """Return the rows of these parts."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="kaiwa-bench-") as folder:
        async with upstreams() as upstream:
            for name in names:
                rows += await PARTS[name](Path(folder), upstream, extent)
    return rows


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], prog="make bench-mint")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; may be given again")
    parser.add_argument("--quick", action="store_true", help="a small fleet: shows that it works, not what it does")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    arguments = parser.parse_args()
    found = asyncio.run(measured(arguments.only or list(PARTS), QUICK if arguments.quick else WHOLE))
    print(table(found))
    if arguments.json:
        write(found, arguments.json)


if __name__ == "__main__":
    main()
