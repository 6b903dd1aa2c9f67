"""A database that is full: nothing is granted, nothing is used up, and all goes on when there is room again."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.exc import OperationalError

from device.errors import StoreError
from device.identity import certificate_request
from device.messages.enrolment import BrokerAddress, EnrolRequest
from device.messages.reports import CallAnswered, SessionEnded
from provisioning import leash as leash_module
from provisioning.audit import broken_at
from provisioning.enrolment import Enrolments
from provisioning.leash import Leash, Reins
from provisioning.sessions import Session
from provisioning.spending.caps import day_of
from tests.eventually import eventually
from tests.postgresql import PostgreSQL
from tests.provisioning.minting_bench import NOW, Bench, minting_bench

MOST_PAGES = 2**31
FAILURES_IN_A_ROW = 30
LITTLE = 12
"""Mebibytes; an empty database of PostgreSQL takes 7."""


@dataclass
class Filled:
    """A minter whose database can be filled up."""

    bench: Bench

    async def fill(self) -> None:
        """Leave room for nothing that a grant has to write down."""
        raise NotImplementedError

    async def make_room(self) -> None:
        """Undo that."""
        raise NotImplementedError

    async def run(self, *statements: str) -> None:
        assert self.bench.store._database is not None
        async with self.bench.store._database.transaction() as connection:
            for statement in statements:
                await connection.execute(sa.text(statement))

    async def spent(self) -> dict[str, int]:
        """Return what was put aside and settled, by account."""
        async with self.bench.store.transaction() as t:
            totals = await t.ledger.totals([day_of(NOW)])
        return {account: spent.total for (account, _), spent in totals.items()}


class FilledSQLite(Filled):
    async def fill(self) -> None:
        """Fill up until rows like those of a grant and of an end fit nowhere: not in any page of table and indexes."""
        await self.run("PRAGMA max_page_count = 1")  # it takes no less than there is
        for detail in ({"why": "x" * 2000}, {"allowed": True}, {}):
            in_a_row = 0
            while in_a_row < FAILURES_IN_A_ROW:
                in_a_row = 0 if await self._fits(detail) else in_a_row + 1

    async def _fits(self, detail: dict[str, Any]) -> bool:
        try:
            async with self.bench.store.transaction() as t:
                await t.audit.add(NOW, "x", "y", secrets.token_hex(1), **detail)
        except StoreError as error:
            assert "full" in str(error)  # noqa: PT017 - what it says is beside the point of the test
            return False
        return True

    async def make_room(self) -> None:
        await self.run(f"PRAGMA max_page_count = {MOST_PAGES}")


class FilledPostgreSQL(Filled):
    async def fill(self) -> None:
        await self.run("CREATE TABLE filler (x text)")
        with pytest.raises(OperationalError, match="No space left on device"):
            await self._fill()

    async def _fill(self) -> None:
        while True:
            await self.run("INSERT INTO filler SELECT md5(random()::text) FROM generate_series(1, 200)")

    async def make_room(self) -> None:
        await self.run("DROP TABLE filler")


@pytest.fixture
def little_disk(postgresql: PostgreSQL) -> Iterator[str]:
    """The URL of a database that has a small disk to itself."""
    disk = Path(gettempdir()) / f"kaiwa-disk-{os.getpid()}"  # open to the server's account, unlike tmp_path
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={LITTLE}m,mode=0777", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        disk.rmdir()
        pytest.skip("a small disk can be mounted by root only")
    try:
        with postgresql.database_on(disk / "space") as url:
            yield url
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S607
        shutil.rmtree(disk)


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[Filled]:
    async with minting_bench(tmp_path) as bench:
        yield FilledSQLite(bench)


async def test_a_full_database_grants_nothing_and_the_same_request_is_good_when_there_is_room(filled: Filled) -> None:
    await grants_nothing_until_there_is_room(filled)


async def test_a_full_disk_under_postgresql_does_the_same(tmp_path: Path, little_disk: str) -> None:
    async with minting_bench(tmp_path, store_url=little_disk) as bench:
        await grants_nothing_until_there_is_room(FilledPostgreSQL(bench))


async def grants_nothing_until_there_is_room(filled: Filled) -> None:
    bench = filled.bench
    robot = await bench.robot()
    await filled.fill()
    before, request = await filled.spent(), robot.request()
    assert await bench.minter.answer(request, "robot-1", NOW) is None
    assert bench.realtime.requests == []
    assert await bench.channels.channels() == []
    assert await filled.spent() == before
    await filled.make_room()
    robot.grant(await bench.minter.answer(request, "robot-1", NOW))
    assert len(bench.realtime.requests) == 1
    async with bench.store.transaction() as t:
        assert [session.id for session in await t.sessions.live()] == [robot.nonce]
        assert broken_at([entry async for entry in t.audit.entries()]) is None


async def test_a_claim_is_not_used_up_by_a_full_database(filled: Filled) -> None:
    bench = filled.bench
    enrolments = Enrolments(bench.store, bench.authority, BrokerAddress("localhost", 8883), 60)
    claim = await enrolments.new_claim("here:1", NOW, 60, device="robot-1")
    request = EnrolRequest(code=claim.code, csr=certificate_request(ec.generate_private_key(ec.SECP256R1())))
    await filled.fill()
    with pytest.raises(StoreError):
        await enrolments.enrol(request, NOW + 1)
    await filled.make_room()
    assert (await enrolments.enrol(request, NOW + 2)).device == "robot-1"


@asynccontextmanager
async def leashed(bench: Bench) -> AsyncIterator[Leash]:
    leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))
    task = asyncio.create_task(leash.run())
    try:
        yield leash
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_conversation_ends_with_a_full_database_too_and_is_charged_once_when_there_is_room(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leash_module, "RETRY_SECONDS", 0.02)
    bench, session = filled.bench, Session("s", "robot-1", "button", time.time(), 4e9, reserved=5_000_000)
    await bench.robot()
    async with bench.store.transaction() as t:
        await t.sessions.add(session)
    assert await bench.broadcasts.open("s")
    async with leashed(bench) as leash:
        leash.granted(session)
        await filled.fill()
        leash.on_event("robot-1", CallAnswered(session="s", at=1.0, call_id="rtc_1"))
        leash.on_event("robot-1", SessionEnded(session="s", at=2.0, reason="button", seconds=1.0))
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]
        assert await charged(bench) is None
        await filled.make_room()
        cost = await eventually(lambda: charged(bench))
        await eventually(lambda: closed(bench))
    async with bench.store.transaction() as t:
        totals = await t.ledger.totals([day_of(session.created_at)])
        actions = [entry.action async for entry in t.audit.entries() if entry.subject == "s"]
    account = totals["fleet", day_of(session.created_at)]
    assert (account.settled, account.reserved) == (cost, 0)
    assert actions.count("ended") == 1


async def hung_up(bench: Bench) -> list[str]:
    return bench.realtime.hung_up


async def charged(bench: Bench) -> int | None:
    async with bench.store.transaction() as t:
        found = await t.sessions.find("s")
    return found.cost if found is not None else None


async def closed(bench: Bench) -> bool:
    return not await bench.channels.channels()
