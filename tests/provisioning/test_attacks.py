"""Who runs the broker, and what breaks in the middle: nothing is granted twice, nothing is lost, nothing is seen."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import secrets
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import pytest
import sqlalchemy as sa

from device.clock import WallClock
from device.errors import MessageError, StoreError
from device.messages import topics
from device.messages.envelope import Envelope, load_public_pem
from device.messages.minting import Grant, Refusal
from device.messages.wire import decode
from device.mint import MintClient
from provisioning.audit import broken_at
from provisioning.mint_service import MintService
from provisioning.sessions import Session
from provisioning.spending.caps import day_of
from provisioning.sqlite import SQLite
from tests.eventually import eventually
from tests.postgresql import PostgreSQL
from tests.provisioning.dying import AFTER, BEFORE, LEASH_AFTER, LEASH_BEFORE, end
from tests.provisioning.minting_bench import NOW, Bench, Robot, minting_bench
from tests.provisioning.realtime_service import error
from tests.provisioning.site import site

END_OTHERS = sa.text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
YEAR = 365 * 86_400.0


@pytest.fixture
async def bench(tmp_path: Path, store_url: str) -> AsyncIterator[Bench]:
    async with minting_bench(tmp_path, store_url=store_url) as ready:
        yield ready


@dataclass
class HostileBroker:
    """Keeps everything it carries, and brings each message altered at every place before it brings it whole."""

    service: MintService
    client: MintClient
    seen: list[bytes] = field(default_factory=list)
    believed: list[bytes] = field(default_factory=list)
    """Altered answers in which the device found no fault."""

    def publish(self, topic: str, payload: bytes, *, within: float | None = None) -> None:
        """Carry what the device says."""
        assert within
        self.seen += [topic.encode(), payload]
        for altered in altered_everywhere(payload, step=23):
            self.service.deliver(topic, altered)
        self.service.deliver(topic, payload)

    async def answer(self, topic: str, payload: bytes) -> None:
        """Carry what the cloud says."""
        self.seen += [topic.encode(), payload]
        for altered in altered_everywhere(payload, step=1):
            with suppress(MessageError):
                self.client.take(altered)
                if decode(altered, Envelope) != decode(payload, Envelope):  # base64 has bits that mean nothing
                    self.believed.append(altered)
        self.client.take(payload)


def altered_everywhere(data: bytes, step: int) -> Iterator[bytes]:
    """Yield `data` with one bit turned at each `step`th place, cut short, and with something behind it."""
    for place in range(0, len(data), step):
        yield data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    yield data[: len(data) // 2]
    yield data + b"}"


def layers(data: bytes) -> Iterator[bytes]:
    """Yield `data`, and all that can be read out of it: fields of JSON, and base 64 in those."""
    yield data
    with suppress(ValueError):
        for value in json.loads(data).values():
            if isinstance(value, str):
                yield value.encode()
                with suppress(binascii.Error):
                    yield from layers(base64.b64decode(value, validate=True))


@asynccontextmanager
async def hostile(bench: Bench, believed: float) -> AsyncIterator[HostileBroker]:
    """Join the robot's own client, which believes that it is that time, and the minter by a hostile broker."""
    robot = await bench.robot("robot-1", now=time.time())
    key = load_public_pem(robot.mint_key)
    clock = WallClock()
    clock.correct(believed)
    client = MintClient("robot-1", robot.signer, {robot.mint_kid: key}.get, clock)
    broker = HostileBroker(MintService(bench.minter), client)
    serving = asyncio.create_task(broker.service.run(broker.answer))
    try:
        yield broker
    finally:
        serving.cancel()


def secrets_of(grant: Grant) -> list[bytes]:
    """Return what nobody but the robot may know."""
    assert grant.broadcast is not None
    return [
        grant.openai.secret.reveal().encode(),
        grant.broadcast.channel_id.encode(),
        grant.broadcast.signalling_urls[0].encode(),
    ]


async def test_who_runs_the_broker_sees_no_secret_and_no_change_is_believed(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench, hostile(bench, time.time()) as broker:
        grant = await broker.client.mint(secrets.token_hex(16), "button", broker.publish, broadcast=True)
        readable = [layer for data in broker.seen for layer in layers(data)]
        assert len(readable) > 10, "the envelopes were not looked into"
        assert not [layer for layer in readable for secret in secrets_of(grant) if secret in layer]
        assert broker.believed == []
        assert len(bench.realtime.requests) == 1


@pytest.mark.parametrize("wrong", [-YEAR, YEAR])
async def test_a_clock_that_is_wrong_by_a_year_costs_one_more_question(tmp_path: Path, wrong: float) -> None:
    async with minting_bench(tmp_path) as bench, hostile(bench, time.time() + wrong) as broker:
        grant = await broker.client.mint(secrets.token_hex(16), "button", broker.publish, broadcast=False)
        assert grant.openai.secret
        assert len(bench.realtime.requests) == 1
        assert await bench.actions() == ["mint", "mint"]


async def ask(bench: Bench, robot: Robot, now: float = NOW) -> bytes | None:
    return await bench.minter.answer(robot.request(now), robot.name, now)


async def test_a_store_that_stays_locked_gives_no_answer_and_the_same_request_is_good_afterwards(
    tmp_path: Path,
) -> None:
    async with minting_bench(tmp_path) as bench:
        robot = await bench.robot()
        in_no_time(bench)
        request = robot.request()
        with closing(sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await bench.minter.answer(request, "robot-1", NOW) is None
            assert bench.realtime.requests == []
        robot.grant(await bench.minter.answer(request, "robot-1", NOW))
        assert await bench.actions() == ["mint"]


def in_no_time(bench: Bench) -> None:
    """Have the store wait for a lock for 10 ms only."""
    assert isinstance(bench.store._database, SQLite)
    bench.store._database.busy_ms = 10


async def test_a_database_that_ends_a_connection_in_the_middle_loses_nothing(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    async with minting_bench(tmp_path, store_url=postgresql.new_database()) as bench:
        robot = await bench.robot()
        with pytest.raises(StoreError, match="the store does not answer"):
            await ended_in_the_middle(bench)
        assert await bench.actions() == []
        robot.grant(await ask(bench, robot))


async def ended_in_the_middle(bench: Bench) -> None:
    """Begin a transaction, and end its connection as an administrator or a restart of the database does."""
    async with bench.store.transaction() as t:
        await t.sessions.note_request("robot-1", "0" * 32, NOW)
        assert bench.store._database is not None
        async with bench.store._database.transaction() as connection:
            await connection.execute(END_OTHERS)
        await t.audit.add(NOW, "robot-1", "mint", "")


async def killed(folder: Path, store_url: str, *deaths: str) -> None:
    """Have other minters serve requests, and be killed each at its moment."""
    dying = ("-m", "tests.provisioning.dying", str(folder), store_url, *deaths)
    child = await asyncio.create_subprocess_exec(sys.executable, *dying)
    assert await child.wait() == 0


async def test_who_is_killed_in_the_middle_grants_and_charges_nothing_twice_and_loses_nothing(
    bench: Bench, tmp_path: Path, store_url: str
) -> None:
    early, late = await bench.robot("early"), await bench.robot("late")
    first, second = early.request(), late.request()
    for name in ("ending", "ended"):
        await going_on(bench, name)
    minters = (BEFORE, "early", first.decode(), AFTER, "late", second.decode())
    leashes = (LEASH_BEFORE, "ending", "ending", LEASH_AFTER, "ended", "ended")
    await killed(tmp_path, store_url, *minters, *leashes)
    await ends_go_on(bench)
    early.grant(await bench.minter.answer(first, "early", NOW))
    assert late.grant(await bench.minter.answer(second, "late", NOW + 1)).session == late.nonce
    actions = await bench.actions()
    assert (actions.count("mint"), actions.count("take_over")) == (2, 1)
    async with bench.store.transaction() as t:
        assert broken_at([entry async for entry in t.audit.entries()]) is None
        assert sorted(session.id for session in await t.sessions.live()) == sorted([early.nonce, late.nonce])
    assert len(bench.realtime.requests) == 2


async def going_on(bench: Bench, name: str) -> None:
    """Have a robot of this name in a session of this name, with a channel."""
    await bench.robot(name)
    async with bench.store.transaction() as t:
        await t.sessions.add(Session(name, name, "button", time.time(), 4e9, reserved=5_000_000))
    assert await bench.broadcasts.open(name)


async def ends_go_on(bench: Bench) -> None:
    """See that both ends are brought to theirs: each charged once, no channel left."""
    assert [await cost(bench, name) is None for name in ("ending", "ended")] == [True, False]
    ending = asyncio.create_task(end(bench, "ending", "ending"))
    await eventually(lambda: all_closed(bench))
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    costs = [await cost(bench, name) or 0 for name in ("ending", "ended")]
    async with bench.store.transaction() as t:
        (fleet,) = (await t.ledger.totals([day_of(time.time())], ["fleet"])).values()
    assert (fleet.settled, fleet.reserved) == (sum(costs), 0)
    assert (await bench.actions()).count("ended") == 2


async def cost(bench: Bench, session: str) -> int | None:
    async with bench.store.transaction() as t:
        found = await t.sessions.find(session)
    return found.cost if found is not None else None


async def all_closed(bench: Bench) -> bool:
    return not await bench.channels.channels()


async def test_a_broker_that_restarts_in_the_middle_costs_no_second_session(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        assert here.cloud.child is not None
        identity = await here.enrolled("robot-1")
        here.realtime.silent = True
        with suppress(aiomqtt.MqttError):  # its connection falls with the broker
            async with here.board(identity=identity) as board:
                request, robot = board.robot.request(time.time()), board.robot
                await board.client.publish(topics.mint_request("robot-1"), request, qos=1)
                async with asyncio.timeout(5):
                    await here.realtime.asked.wait()
                await here.cloud.child.restart()
        here.realtime.wake.set()
        async with here.board(identity=identity) as board, asyncio.timeout(10):
            await here.cloud.connected.wait()
            grant = robot.grant(await board.ask_with(request))
        assert grant.session == robot.nonce
        assert len(here.realtime.requests) == 1


async def test_an_hour_without_the_service_costs_a_robot_nothing_of_its_day(bench: Bench) -> None:
    robot = await bench.robot()
    bench.realtime.answer = error(503, "server_error")
    for minute in range(0, 60, 5):
        now = NOW + 60 * minute
        assert robot.refusal(await ask(bench, robot, now)) is Refusal.UPSTREAM
    bench.realtime.answer = None
    robot.grant(await ask(bench, robot, NOW + 3600))
    assert len(await bench.channels.channels()) == 1
    async with bench.store.transaction() as t:
        assert [session.id for session in await t.sessions.live()] == [robot.nonce]
        assert broken_at([entry async for entry in t.audit.entries()]) is None
