from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from device.errors import SettingsError, StoreError
from provisioning.advisory import AdvisoryLock
from provisioning.duty import Duty, on_duty
from tests.eventually import eventually
from tests.postgresql import PostgreSQL


async def test_a_minter_is_alive_until_it_ends_and_one_without_a_name_is_unknown(
    tmp_path: Path, store_url: str
) -> None:
    async with on_duty(store_url, tmp_path) as first:
        async with on_duty(store_url, tmp_path) as second:
            assert first.name != second.name
            assert not await first.left(second.name)
            assert not await second.left(first.name)
            assert not await first.left(first.name)
        await eventually(lambda: first.left(second.name))  # PostgreSQL ends a connection a moment after it was closed
        assert await first.left("01234567")
        assert not await first.left("")


async def test_files_of_the_dead_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "minters").mkdir()
    (tmp_path / "minters" / "01234567").touch()
    url = f"sqlite:///{tmp_path}/store"
    async with on_duty(url, tmp_path) as one, on_duty(url, tmp_path):
        assert await one.left("01234567")
        assert len(list((tmp_path / "minters").iterdir())) == 2
    assert list((tmp_path / "minters").iterdir()) == []


async def test_a_lock_that_is_lost_with_its_connection_is_taken_again(
    tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AdvisoryLock.keep, "__defaults__", (0.01,))
    url = postgresql.new_database()
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with on_duty(url, tmp_path) as first, on_duty(url, tmp_path) as second:
        keeping = [asyncio.create_task(duty.keep()) for duty in (first, second)]
        async with engine.connect() as connection:
            await connection.execute(text(END_OTHERS))
        await eventually(partial(_alive, first, second.name))
        await eventually(partial(_alive, second, first.name))
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
    await engine.dispose()


END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


async def _alive(duty: Duty, other: str) -> bool:
    try:
        return not await duty.left(other)
    except StoreError:
        return False


async def test_a_place_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used"):
        async with on_duty("sqlite:///x", tmp_path / "file"):
            pytest.fail("there is no such folder")
    for url in ("nonsense", f"postgresql+psycopg://nobody@/none?host={tmp_path}"):
        with pytest.raises(StoreError, match="the store cannot be opened"):
            async with on_duty(url, tmp_path):
                pytest.fail("there is no such store")


async def test_a_lock_is_looked_at_without_being_taken_whatever_its_number(postgresql: PostgreSQL) -> None:
    url = postgresql.new_database()
    locks = [AdvisoryLock(url, number) for number in (0, 1, -1, 2**63 - 1, -(2**63))]
    eye = AdvisoryLock(url, 7)
    try:
        for lock in locks:
            assert await eye.is_free(lock._number)
            assert await lock.take()
            assert not await eye.is_free(lock._number)
            await lock.close()
        assert not await eye.is_free(eye._number), "who holds it could take it again, and would call it free"
    finally:
        await eye.close()
