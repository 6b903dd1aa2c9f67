from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from device.errors import StoreError
from provisioning.sqlite import BUSY_MS, SQLite, _pauses
from provisioning.store import Store, Transaction


async def add(t: Transaction, number: int) -> None:
    await t.audit.add(float(number), "robot", "mint", str(number))


async def alone(store: Store, number: int) -> None:
    async with store.transaction() as t:
        await add(t, number)
        await asyncio.sleep(0)


@pytest.mark.parametrize("others", [False, True])
async def test_whoever_is_cancelled_at_whatever_moment_the_store_goes_on_and_closes(
    tmp_path: Path, *, others: bool
) -> None:
    draw = random.Random(1)
    before = threading.active_count()
    async with Store(f"sqlite:///{tmp_path}/store") as store, Store(f"sqlite:///{tmp_path}/store") as another:
        for number in range(60):
            works = [asyncio.ensure_future(store.together(lambda t, n=number: add(t, n)))]  # type: ignore[misc]
            works += [asyncio.ensure_future(alone(another if others else store, number)) for _ in range(2)]
            for _ in range(draw.randrange(6)):
                await asyncio.sleep(0)
            for work in works:
                work.cancel()
            if draw.random() < 0.5:
                await asyncio.sleep(0)
                works[0].cancel()  # once more, while it is waited for
            await asyncio.gather(*works, return_exceptions=True)
        for each in (store, another):  # neither has left the other locked out
            async with each.transaction() as t:
                last = await t.audit.last()
                await add(t, 0)
                assert await t.audit.last() == last + 1
    assert threading.active_count() == before


async def test_another_process_is_waited_for_without_the_loop_standing_still(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path}/store") as store:
        with closing(sqlite3.connect(tmp_path / "store", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(alone(store, 1))
            assert not (await asyncio.wait([waiting], timeout=0.05))[0]
            other.execute("COMMIT")
            await waiting
        async with store.transaction() as t:
            assert await t.audit.last() == 1


async def test_a_shutdown_does_not_wait_for_another_process(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store", isolation_level=None)) as other:
        async with Store(f"sqlite:///{tmp_path}/store") as store:
            other.execute("BEGIN IMMEDIATE")
            waiting = [asyncio.create_task(work) for work in (alone(store, 1), alone(store, 2))]
            assert not (await asyncio.wait(waiting, timeout=0.05))[0]
            began = time.monotonic()
            for work in waiting:
                work.cancel()
            await asyncio.wait(waiting)
        assert time.monotonic() - began < BUSY_MS / 1000 / 2


@pytest.mark.parametrize("most", [0, 1, 7, 328, 329, 5000])
def test_another_process_is_looked_at_often_at_first_and_for_so_long_in_all(most: int) -> None:
    pauses = list(_pauses(most))
    assert sum(pauses) == most
    assert pauses[:2] == [1, 2][: len(pauses)]
    assert all(0 < pause <= 100 for pause in pauses)


async def test_a_store_that_was_closed_says_so(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store")
    async with store:
        pass
    with pytest.raises(StoreError, match="not open"):
        async with store.transaction():
            pytest.fail("it is closed")


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"])
async def test_every_name_of_sqlite_is_understood(tmp_path: Path, driver: str) -> None:
    async with Store(f"{driver}:///{tmp_path}/store") as store, store.transaction() as t:
        assert await t.audit.last() == 0


async def test_the_log_is_brought_to_the_disk_without_anybody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("provisioning.sqlite.CHECKPOINT_AFTER", 3)
    log = tmp_path / "store-wal"
    async with Store(f"sqlite:///{tmp_path}/store") as store:
        await alone(store, 0)
        first = log.stat().st_size
        for number in range(200):
            await alone(store, number)
        assert log.stat().st_size < 200 * first / 2, "it begins anew where all of it has been written"
        database = store._database
        assert isinstance(database, SQLite)
        assert database._log_keeper is not None
        await database._elsewhere(database._log_keeper.close)
        for number in range(3):
            await alone(store, number)
    assert "could not be brought to the disk" in caplog.text
    with closing(sqlite3.connect(tmp_path / "store")) as file:
        assert file.execute("SELECT count(*) FROM audit").fetchone() == (204,)
