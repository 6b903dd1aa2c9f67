"""In a crowd on PostgreSQL: one wait for the disk for all who are there, and no word to anybody before it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from device.errors import StoreError
from provisioning.audit import broken_at
from provisioning.hasty import Shared
from provisioning.postgresql import PostgreSQL as PostgreSQLStore
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store, Transaction
from provisioning.together import CROWD
from tests.postgresql import THROW_OUT, PostgreSQL

NOW = 1_800_000_000.0


class Disk:
    """Something to wait for, which goes on when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def wait(self) -> None:
        self.begun += 1
        await self.go_on.acquire()
        if self.error is not None:
            raise self.error


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_come_while_one_waits_share_the_next_wait_and_not_that_one() -> None:
    disk = Disk()
    shared = Shared(disk.wait)
    first = asyncio.create_task(shared.done())
    await turns()
    others = [asyncio.create_task(shared.done()) for _ in range(9)]
    disk.go_on.release()
    await first
    await turns()
    assert not any(other.done() for other in others), "what they wrote may be later than what is on the disk"
    disk.go_on.release()
    await asyncio.gather(*others)
    assert disk.begun == 2


async def test_who_waited_in_vain_is_told_so_and_so_is_whoever_came_to_the_same() -> None:
    disk = Disk()
    shared = Shared(disk.wait)
    disk.error = StoreError("gone")
    waiting = [asyncio.create_task(shared.done()) for _ in range(3)]
    for _ in range(3):
        disk.go_on.release()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found == [disk.error] * 3
    assert shared.failure is disk.error
    assert disk.begun == 1


async def test_who_is_cancelled_takes_nobody_along() -> None:
    disk = Disk()
    shared = Shared(disk.wait)
    first, second = (asyncio.create_task(shared.done()) for _ in range(2))
    await turns()
    first.cancel()
    for _ in range(2):
        disk.go_on.release()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def granted(store: Store, number: int) -> None:
    async def work(t: Transaction) -> None:
        assert await t.sessions.note_request("robot-1", f"{number}", NOW)
        await t.sessions.add(Session(f"s{number}", "robot-1", "button", NOW, NOW + 60))
        await t.audit.add(NOW, "robot-1", "mint", f"s{number}")

    await store.together(work)


async def kept(store: Store) -> tuple[int, int, int]:
    """Return how many sessions, rows of the audit and numbers of requests there are; its chain holds."""
    async with store.transaction() as t:
        entries = [entry async for entry in t.audit.entries()]
        assert broken_at(entries) is None
        numbers = [await t.sessions.note_request("robot-1", f"{number}", NOW) for number in range(2 * CROWD)]
        return await t.sessions.count_live(), len(entries), numbers.count(False)


@pytest.mark.parametrize("in_hand", [CROWD - 1, CROWD])
async def test_what_was_told_outlives_a_database_that_is_killed_at_once(postgresql: PostgreSQL, in_hand: int) -> None:
    url = postgresql.emptied_database()
    async with Store(url) as store:
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("1", "robot-1", "key", NOW, 4e9))
        with ExitStack() as stack:
            for _ in range(in_hand):
                stack.enter_context(store.serving())
            await asyncio.gather(*(granted(store, number) for number in range(CROWD)))
            await granted(store, CROWD)
            postgresql.crash()
    async with Store(url) as store:
        assert await kept(store) == (CROWD + 1,) * 3


async def test_whoever_committed_before_the_database_was_killed_is_not_told_by_the_one_that_is_back(
    postgresql: PostgreSQL,
) -> None:
    async with Store(postgresql.emptied_database()) as store:
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("1", "robot-1", "key", NOW, 4e9))
        database = store._database
        assert isinstance(database, PostgreSQLStore)
        disk = await database.disk()
        async with database.hastily() as connection:
            assert await Transaction(connection).sessions.note_request("robot-1", "perhaps lost", NOW)
        postgresql.crash()
        with pytest.raises(SQLAlchemyError):
            await disk.done()
        with pytest.raises(SQLAlchemyError):
            await disk.done()
        await (await database.disk()).done()


async def test_a_connection_that_was_closed_in_a_quiet_hour_costs_nobody_anything(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.postgresql.IDLE_SECONDS", 0.0)
    async with Store(postgresql.emptied_database()) as store:
        database = store._database
        assert isinstance(database, PostgreSQLStore)
        before = await database.disk()
        assert await database.disk() is before
        async with store.transaction() as t:
            await t.audit._connection.execute(text(THROW_OUT))
        after = await database.disk()
        assert after is not before
        await after.done()
