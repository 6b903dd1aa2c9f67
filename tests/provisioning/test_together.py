from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from device.errors import StoreError
from provisioning.audit import broken_at
from provisioning.registry import Certificate
from provisioning.sqlite import SQLite
from provisioning.store import DuplicateError, Store, Transaction
from provisioning.together import CROWD, ENOUGH

NOW = 1_800_000_000.0


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with Store(store_url) as opened:
        yield opened


async def enrol(store: Store, number: int, key: str = "") -> int:
    async def work(t: Transaction) -> int:
        await t.audit.add(NOW, f"robot-{number}", "enrolled", "")
        await t.devices.enrol("", Certificate(f"{number:02x}", f"robot-{number}", key or f"{number}", NOW, NOW + 1))
        return number

    return await store.together(work)


async def names(store: Store) -> list[str]:
    async with store.transaction() as t:
        entries = [entry async for entry in t.audit.entries()]
        assert broken_at(entries) is None
        found = [device.id for device in await t.devices.all()]
    assert sorted(entry.actor for entry in entries) == found
    return found


@pytest.mark.parametrize("in_hand", [0, CROWD])
async def test_each_of_several_has_its_own_result_and_one_that_fails_undoes_only_itself(
    store: Store, in_hand: int
) -> None:
    with ExitStack() as stack:
        for _ in range(in_hand):
            stack.enter_context(store.serving())
        await enrol(store, 0, "taken")
        works = [enrol(store, number, "taken" if number == 2 else "") for number in range(1, 5)]
        one, two, three, four = await asyncio.gather(*works, return_exceptions=True)
    assert (one, three, four) == (1, 3, 4)
    assert isinstance(two, DuplicateError)
    assert await names(store) == ["robot-0", "robot-1", "robot-3", "robot-4"]


async def test_who_is_cancelled_takes_nobody_along(store: Store) -> None:
    works = [asyncio.create_task(enrol(store, number)) for number in range(3)]
    await asyncio.sleep(0)
    works[0].cancel()
    one, *others = await asyncio.gather(*works, return_exceptions=True)
    assert isinstance(one, asyncio.CancelledError)
    assert others == [1, 2]
    assert {"robot-1", "robot-2"} <= set(await names(store))


async def test_those_who_come_together_share_a_transaction_of_sqlite(tmp_path: Path) -> None:
    transactions: list[int] = []

    async def work(t: Transaction) -> None:
        transactions.append(id(t))

    async with Store(f"sqlite:///{tmp_path}/store") as store:
        await asyncio.gather(*(store.together(work) for _ in range(5)))
    assert len(transactions) == 5
    assert len(set(transactions)) == 1


async def test_a_store_that_does_not_begin_fails_all_and_serves_the_next(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path}/store") as store, Store(f"sqlite:///{tmp_path}/store") as other:
        assert isinstance(store._database, SQLite)
        store._database.busy_ms = 1
        async with other.transaction():
            found = await asyncio.gather(*(enrol(store, number) for number in range(3)), return_exceptions=True)
        assert [type(error) for error in found] == [StoreError] * 3
        assert await enrol(store, 7) == 7


async def test_a_transaction_that_the_database_has_undone_is_not_taken_for_done(tmp_path: Path) -> None:
    async def undone(t: Transaction) -> None:
        await t.sessions._connection.execute(text("ROLLBACK"))

    async with Store(f"sqlite:///{tmp_path}/store") as store:
        found = await asyncio.gather(enrol(store, 1), store.together(undone), enrol(store, 2), return_exceptions=True)
        assert [type(error) for error in found] == [StoreError] * 3
        with pytest.raises(StoreError, match="undone"):
            async with store.transaction() as t:
                await undone(t)
        assert await names(store) == []


async def _two_apart(store: Store, turns: int) -> int:
    """Return how many transactions two works take of which the second comes that many turns of the loop later."""
    transactions: set[int] = set()
    kept: list[Transaction] = []

    async def work(t: Transaction) -> None:
        kept.append(t)  # so that no other has its address
        transactions.add(id(t))

    first = asyncio.create_task(store.together(work))
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.gather(first, store.together(work))
    return len(transactions)


@pytest.mark.parametrize(("in_hand", "transactions"), [(0, 2), (CROWD - 1, 2), (CROWD, 1), (64, 1)])
async def test_in_a_crowd_the_first_waits_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_hand: int, transactions: int
) -> None:
    monkeypatch.setattr("provisioning.together.PAUSES", (0.0,) * 100)
    async with Store(f"sqlite:///{tmp_path}/store") as store:
        with ExitStack() as stack:
            for _ in range(in_hand):
                stack.enter_context(store.serving())
            assert await _two_apart(store, turns=50) == transactions
        assert await _two_apart(store, turns=50) == 2, "the crowd has gone"


async def test_nobody_waits_when_there_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.together.PAUSES", (3600.0,))
    async with Store(f"sqlite:///{tmp_path}/store") as store, asyncio.timeout(30):
        with ExitStack() as stack:
            for _ in range(CROWD):
                stack.enter_context(store.serving())
            assert await asyncio.gather(*(enrol(store, number) for number in range(ENOUGH))) == [*range(ENOUGH)]
