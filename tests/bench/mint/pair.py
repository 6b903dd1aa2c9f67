"""Two workers, each a process, over one PostgreSQL: how they share requests, and what a kill of one costs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select

from device.mint import AGAIN_SECONDS
from provisioning.store import Store
from provisioning.tables import audit, sessions
from tests.bench.mint.fleet import Sizes, filled
from tests.bench.mint.load import Load, loaded
from tests.bench.mint.place import OpenBroker, Place, Upstream, Where, prepared, settings, worker
from tests.bench.rows import Row, at_most
from tests.postgresql import running
from tests.provisioning.minting_bench import Robot


@dataclass
class Pair:
    """Two minters, and who asks them."""

    load: Load
    store: Store
    minters: Sequence[Place]

    async def split(self) -> Counter[str]:
        """Return how many sessions each minter serves, by its name."""
        return Counter(await self._column(select(sessions.c.minter)))

    async def served(self, action: str) -> Counter[str]:
        """Return how often each request was served that way."""
        return Counter(await self._column(select(audit.c.subject).where(audit.c.action == action)))

    async def _column(self, query: Select[Any]) -> list[str]:
        assert self.store._database is not None
        async with self.store._database.transaction() as connection:
            return [row[0] for row in (await connection.execute(query)).all()]


@asynccontextmanager
async def pair(folder: Path, upstream: Upstream, robots: int) -> AsyncIterator[Pair]:
    """Run them."""
    async with AsyncExitStack() as stack:
        where = Where(folder, store=stack.enter_context(running()).new_database())
        authority, url = prepared(where, upstream), settings(where, upstream).store_url
        asking = await filled(url, authority, Sizes(robots, robots, 0))
        broker = await stack.enter_async_context(OpenBroker(authority, folder / "broker"))
        where, minters = replace(where, broker=broker.endpoint.port), list[Place]()
        for number in (1, 2):
            child, _ = await stack.enter_async_context(worker(f"minter{number}", where, upstream))
            minters.append(Place(broker, authority, child, asking, folder, "", upstream))
        load = await stack.enter_async_context(loaded(minters[0]))
        yield Pair(load, await stack.enter_async_context(Store(url)), minters)


async def shared(there: Pair, robots: Sequence[Robot]) -> list[Row]:
    """Have both serve as much as they can, and count."""
    taken = await there.load.saturating(robots)
    split = await there.split()
    share = 100 * max(split.values()) / len(robots)
    return [
        at_most("two workers: share of the one that served more", share, "%", 55),
        Row("grants, saturated, two workers on PostgreSQL", taken.rate, "1/s"),
    ]


async def killed(there: Pair, robots: Sequence[Robot]) -> list[Row]:
    """Have all ask at once, kill one of the two when a third has a grant, and see who gets none."""
    start, times = time.perf_counter(), list[float]()

    async def one(robot: Robot) -> str:
        answer = await there.load.insisting(robot)
        times.append(time.perf_counter() - start)
        if len(times) == len(robots) // 3:
            there.minters[0].worker.kill()
        return "" if answer is None else robot.grant(answer).openai.secret.reveal()

    found = [secret for secret in await asyncio.gather(*map(one, robots)) if secret]
    assert there.minters[0].worker.returncode is not None or await there.minters[0].worker.wait(), "nobody was killed"
    minted, taken_over = await there.served("mint"), await there.served("take_over")
    twice = sum(count - 1 for count in (*minted.values(), *taken_over.values()))
    return [
        at_most("one of two killed by SIGKILL: requests without a grant", len(robots) - len(found), "", 0),
        at_most("one of two killed by SIGKILL: grants with another's secret", len(found) - len({*found}), "", 0),
        at_most("one of two killed by SIGKILL: requests that two served", twice, "", 0),
        Row("taken over from the killed one", len(taken_over), "", peers={"of": len(robots)}),
        Row("the longest that a robot waited", max(times), "s", peers={"asks again after": AGAIN_SECONDS}),
    ]


async def two(folder: Path, upstream: Upstream, robots: int) -> list[Row]:
    """Measure both."""
    async with pair(folder, upstream, 2 * robots) as there:
        asking = there.minters[0].robots
        return [*await shared(there, asking[:robots]), *await killed(there, asking[robots:])]
