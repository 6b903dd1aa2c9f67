from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from device.errors import StoreError
from provisioning.policy import Counts, Status
from provisioning.registry import ACTIVATION_SECONDS, Certificate
from provisioning.sessions import Session
from provisioning.store import DuplicateError, Store
from provisioning.tables import metadata
from provisioning.undisturbed import undisturbed

NOW = 1_800_000_000.0


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite3'}"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with Store(store_url) as opened:
        yield opened


def certificate(device: str = "robot-1", number: int = 1, at: float = NOW) -> Certificate:
    return Certificate(f"{number:040x}", device, f"key {number}", at, at + 86_400)


async def enrolled(store: Store, device: str = "robot-1", number: int = 1) -> None:
    async with store.transaction() as t:
        await t.devices.enrol("serial-9", certificate(device, number))
        await t.devices.activate(device, NOW)


async def test_migrations_make_exactly_the_tables_and_run_once(tmp_path: Path) -> None:
    for _ in range(2):
        async with Store(url(tmp_path)):
            pass
    engine = create_engine(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == "0009"
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


async def test_certificates_of_a_store_from_before_renewal_are_in_use_and_can_be_renewed(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    config = Config()
    config.set_main_option("script_location", "provisioning/migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO devices VALUES ('robot-1', 'ACTIVE', '', 1, 2, NULL)"))
        connection.execute(text("INSERT INTO certificates VALUES ('a1', 'robot-1', 'key 1', 1.5, 90000, NULL)"))
    engine.dispose()
    async with Store(url(tmp_path)) as store, store.transaction() as t:
        standing = await t.devices.standing("robot-1")
        assert standing is not None
        assert [(held.serial, held.used_at, held.successor) for held in standing.in_force] == [("a1", 1.5, None)]
        await t.devices.renew(certificate("robot-1", 2))
        assert await t.devices.use("robot-1", f"{2:040x}", NOW) == ["a1"]


@pytest.mark.parametrize("wrong", ["sqlite:////no/such/folder/x", "nonsense", "oracle+nothing://x"])
async def test_a_store_that_cannot_be_opened_is_one_error(wrong: str) -> None:
    with pytest.raises(StoreError):
        async with Store(wrong):
            pass


async def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    async with Store(url(tmp_path)):
        pass
    engine = create_engine(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="9999"):
        async with Store(url(tmp_path)):
            pass


async def test_an_error_rolls_everything_back(store: Store) -> None:
    async def fail() -> None:
        async with store.transaction() as t:
            await t.devices.enrol("", certificate())
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with store.transaction() as t:
        assert await t.devices.all() == []


async def test_a_device_becomes_active_once_and_in_time(store: Store) -> None:
    async with store.transaction() as t:
        await t.devices.enrol("", certificate("robot-1", 1))
        await t.devices.enrol("", certificate("robot-2", 2))
        assert await t.devices.activate("robot-1", NOW + 1)
        assert not await t.devices.activate("robot-1", NOW + 2)
        assert not await t.devices.activate("robot-2", NOW + ACTIVATION_SECONDS)
        assert [device.certified_until for device in await t.devices.all()] == [NOW + 86_400] * 2
        assert [(d.id, d.status, d.active_at) for d in await t.devices.all()] == [
            ("robot-1", Status.ACTIVE, NOW + 1),
            ("robot-2", Status.PENDING, None),
        ]


async def test_enrolling_again_replaces_the_certificate(store: Store) -> None:
    await enrolled(store)
    async with store.transaction() as t:
        await t.devices.enrol("", certificate("robot-1", 2, NOW + 10))
        standing = await t.devices.standing("robot-1")
        assert standing is not None
        assert standing.status is Status.PENDING
        assert [held.public_key for held in standing.in_force] == ["key 2"]
        assert [held.public_key for held in standing.known] == ["key 2"]
        assert [serial for serial, _, _ in await t.devices.revoked(NOW)] == [f"{1:040x}"]


async def test_no_key_belongs_to_two_devices(store: Store) -> None:
    await enrolled(store)
    with pytest.raises(DuplicateError):
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("ff", "robot-2", "key 1", NOW, NOW + 1))


async def test_revoking_takes_every_certificate(store: Store) -> None:
    await enrolled(store)
    async with store.transaction() as t:
        assert await t.devices.revoke("robot-1", NOW + 5)
        assert not await t.devices.revoke("robot-1", NOW + 6)
        assert not await t.devices.revoke("nobody", NOW)
        assert await t.devices.revoked(NOW) == [(f"{1:040x}", "robot-1", NOW + 5)]
        standing = await t.devices.standing("robot-1")
        assert standing is not None
        assert standing.status is Status.REVOKED
        assert await t.devices.standing("nobody") is None


async def test_a_claim_is_used_once(store: Store) -> None:
    async with store.transaction() as t:
        await t.claims.add("h", "robot-1", NOW, NOW + 60)
        await t.claims.count_attempt("h")
        assert await t.claims.use("h", "robot-1", NOW + 1)
        assert not await t.claims.use("h", "robot-1", NOW + 2)
        claim = await t.claims.find("h")
        assert claim is not None
        assert (claim.device, claim.attempts, claim.used_at) == ("robot-1", 1, NOW + 1)
        assert await t.claims.find("other") is None


async def test_a_nonce_is_good_once_for_each_device(store: Store) -> None:
    await enrolled(store)
    await enrolled(store, "robot-2", 2)
    async with store.transaction() as t:
        assert await t.sessions.note_request("robot-1", "n", NOW)
        assert await t.sessions.note_request("robot-2", "n", NOW)
        assert not await t.sessions.note_request("robot-1", "n", NOW + 1)
        assert await t.sessions.note_request("robot-1", "m", NOW + 1)
        await t.sessions.forget_requests(NOW + 1)
        assert await t.sessions.note_request("robot-1", "n", NOW + 2)
        assert not await t.sessions.note_request("robot-1", "m", NOW + 2)


async def test_counts_are_of_one_device_today_and_now(store: Store) -> None:
    await enrolled(store)
    await enrolled(store, "robot-2", 2)
    yesterday = NOW - NOW % 86_400 - 1
    async with store.transaction() as t:
        for number, (device, at) in enumerate(
            [("robot-1", yesterday), ("robot-1", NOW - 30), ("robot-1", NOW - 10), ("robot-2", NOW)]
        ):
            await t.sessions.note_request(device, str(number), at)
            await t.sessions.add(Session(str(number), device, "button", at, at + 20))
        assert await t.sessions.counts("robot-1", NOW) == Counts(live=1, today=2, minute=2)
        assert await t.sessions.end("2", NOW, "hung up")
        assert not await t.sessions.end("2", NOW, "again")
        assert await t.sessions.counts("robot-1", NOW) == Counts(live=0, today=2, minute=2)


async def test_what_a_session_holds_is_known_until_released(store: Store) -> None:
    await enrolled(store)
    async with store.transaction() as t:
        await t.sessions.add(Session("s", "robot-1", "button", NOW, NOW + 60))
        await t.sessions.set_channel("s", "channel")
        await t.sessions.set_call("s", "robot-2", "not its own")
        await t.sessions.set_call("s", "robot-1", "rtc_1")
        assert await t.sessions.live() == [
            Session("s", "robot-1", "button", NOW, NOW + 60, "rtc_1", "channel"),
        ]
        assert await t.sessions.unreleased() == []
        await t.sessions.end("s", NOW + 9, "done")
        assert [s.channel_id for s in await t.sessions.unreleased()] == ["channel"]
        await t.sessions.close_channel("s")
        assert await t.sessions.unreleased() == []
        found = await t.sessions.find("s")
        assert found is not None
        assert found.ended_at == NOW + 9
        assert await t.sessions.find("x") is None


async def test_a_closed_store_says_so() -> None:
    with pytest.raises(StoreError, match="not open"):
        async with Store("sqlite://").transaction():
            pass


async def test_who_is_cancelled_in_undisturbed_work_is_so_when_it_is_done() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    task = asyncio.create_task(undisturbed(work()))
    await begun.wait()
    task.cancel()
    assert not (await asyncio.wait([task], timeout=0.01))[0]
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()
