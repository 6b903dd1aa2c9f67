"""The parts of the cloud as processes of their own, over one PostgreSQL and one broker."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from device.errors import SettingsError, StoreError
from device.identity import Identity, certificate_request, keep_enrolment, keep_key
from device.messages import topics
from device.messages.enrolment import EnrolRequest
from device.messages.minting import Grant
from device.messages.reports import CallAnswered, SessionEnded
from provisioning.access import Action, rights_of_service
from provisioning.alone import _LOCK, alone
from provisioning.app import broker_address, open_authority, running_part
from provisioning.broadcasting import Broadcasts
from provisioning.codes import is_device_name
from provisioning.endings import Endings
from provisioning.enrolment import Enrolments
from provisioning.leash import Leash, Reins
from provisioning.link import BrokerEndpoint, connection
from provisioning.mosquitto import MosquittoProcess
from provisioning.openai import OpenAI
from provisioning.registry import Certificate
from provisioning.roles import SERVICES, Place, Role
from provisioning.sessions import Session
from provisioning.settings import BrokerSettings, CloudSettings
from provisioning.store import Store
from tests.eventually import eventually
from tests.postgresql import PostgreSQL
from tests.provisioning.realtime_service import RealtimeService, realtime_service
from tests.provisioning.site import Board

ROBOTS = 4


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Minter:
    """A real `kaiwa-cloud serve --role mint`, and what it has granted by its log."""

    def __init__(self, process: Process, monitor: str) -> None:
        self.process, self.monitor = process, monitor
        self.granted = 0
        self._connected = asyncio.Event()
        self._log = b""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self._log += line
            self.granted += b": granted session" in line
            if b"connected to the broker as" in line:
                self._connected.set()

    async def connected(self) -> None:
        """Wait until it is connected, or has ended before that."""
        up = asyncio.create_task(self._connected.wait())
        await asyncio.wait({up, self._reading}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        assert self._connected.is_set(), self._log.decode()

    async def told(self) -> str:
        """Return what it tells whoever watches over it."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.monitor}/metrics") as answer:
            return await answer.text()

    async def kill(self) -> None:
        """End it as a power cut would."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def end(self) -> int:
        self.process.terminate()
        await self._reading
        return await self.process.wait()


class Fleet:
    """One fleet whose minters are processes."""

    def __init__(self, settings: CloudSettings, store: Store, realtime: RealtimeService, folder: Path) -> None:
        self.settings, self.store, self.realtime, self._folder = settings, store, realtime, folder
        self._authority = open_authority(settings, time.time())
        self.minters: list[Minter] = []
        address = broker_address(settings, settings.broker.port)
        self._enrolments = Enrolments(store, self._authority, address, 60)

    async def minter(self, number: int) -> Minter:
        config = self._folder / f"cloud{number}.toml"
        port = free_port()
        config.write_text((self._folder / "cloud.toml").read_text() + f"[monitor]\nport = {port}\n")
        words = ("-m", "provisioning", "--config", str(config), "serve", "--role", "mint")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, "--number", str(number), stderr=PIPE, env={"PATH": os.environ["PATH"]}
        )
        self.minters.append(Minter(process, f"http://127.0.0.1:{port}"))
        return self.minters[-1]

    async def end(self) -> None:
        """Leave no process behind, whatever has failed."""
        for minter in self.minters:
            await minter.kill()

    @asynccontextmanager
    async def board(self, name: str) -> AsyncIterator[Board]:
        folder, key = self._folder / name, ec.generate_private_key(ec.SECP256R1())
        claim = await self._enrolments.new_claim("here", time.time(), 60, device=name)
        request = EnrolRequest(code=claim.code, csr=certificate_request(key))
        enrolment = await self._enrolments.enrol(request, time.time())
        keep_key(folder, key)
        keep_enrolment(folder, enrolment)
        who = Identity.load(folder, time.time())
        where = BrokerEndpoint(who.broker.host, who.broker.port)
        async with connection(where, name, who.tls_context()) as client:
            await client.subscribe(topics.mint_answer(name), qos=1)
            yield Board(who, client)

    async def live(self) -> list[str]:
        async with self.store.transaction() as t:
            return [session.id for session in await t.sessions.live()]

    async def done(self, action: str) -> list[str]:
        """Return the nonce of every request with which that was done, as often as it was."""
        async with self.store.transaction() as t:
            return [entry.subject async for entry in t.audit.entries() if entry.action == action]


@asynccontextmanager
async def parts(folder: Path, url: str) -> AsyncIterator[Fleet]:
    """Run a broker and the leash, and let the test start minters."""
    async with AsyncExitStack() as stack:
        realtime = await stack.enter_async_context(realtime_service())
        base = CloudSettings(state_dir=str(folder / "state"), store=url, openai=realtime.settings())
        authority = open_authority(base, time.time())
        broker = await stack.enter_async_context(MosquittoProcess(authority, folder / "broker"))
        settings = CloudSettings(
            state_dir=base.state_dir, store=url, openai=base.openai, broker=BrokerSettings(port=broker.endpoint.port)
        )
        (folder / "cloud.toml").write_text(
            f'state_dir = "{base.state_dir}"\nstore = "{url}"\n[broker]\nport = {broker.endpoint.port}\n'
            f'[openai]\nbase_url = "{realtime.base_url}"\napi_key = "sk-test-key"\n'
        )
        store = await stack.enter_async_context(Store(url))
        leash = await stack.enter_async_context(running_part(settings, Place(Role.LEASH)))
        async with asyncio.timeout(10):
            await leash.wait()
        fleet = Fleet(settings, store, realtime, folder)
        stack.push_async_callback(fleet.end)
        yield fleet


async def ended(fleet: Fleet, boards: Sequence[Board], sessions: Sequence[str]) -> None:
    """Let every robot tell that its session is over, and wait until the leash has written that down."""
    for board, session in zip(boards, sessions, strict=True):
        await board.event(SessionEnded(session=session, at=time.time(), reason="broker", seconds=0.0))

    async def look() -> bool:
        return not await fleet.live()

    await eventually(look)


async def all_in_hand(fleet: Fleet) -> bool:
    return len(fleet.realtime.requests) == 2 * ROBOTS


async def granted(board: Board, request: bytes) -> Grant:
    """Ask with the same bytes until there is an answer, as a robot does."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                return board.robot.grant(await board.ask_with(request))


async def test_minters_share_the_requests_and_none_is_lost_or_served_twice_when_one_is_killed(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    async with AsyncExitStack() as stack:
        fleet = await stack.enter_async_context(parts(tmp_path, postgresql.new_database()))
        first, second = await asyncio.gather(fleet.minter(1), fleet.minter(2))
        boards = [await stack.enter_async_context(fleet.board(f"robot-{n}")) for n in range(ROBOTS)]
        await asyncio.gather(first.connected(), second.connected())
        grants = await asyncio.gather(*(board.mint() for board in boards))
        await ended(fleet, boards, [grant.session for grant in grants])

        fleet.realtime.silent = True
        requests = [board.robot.request(time.time()) for board in boards]
        for board, request in zip(boards, requests, strict=True):
            await board.client.publish(topics.mint_request(board.identity.device), request, qos=1)
        await eventually(lambda: all_in_hand(fleet))
        await first.kill()
        fleet.realtime.silent = False
        fleet.realtime.wake.set()

        again = await asyncio.gather(*map(granted, boards, requests))
        live, minted, taken_over = await fleet.live(), await fleet.done("mint"), await fleet.done("take_over")
        told, end = await second.told(), await second.end()
    assert end == 0
    assert 'kaiwa_mint_requests_total{outcome="granted"} ' in told
    assert f"kaiwa_sessions_live {ROBOTS}\n" in told
    assert "kaiwa_broker_connected 1\n" in told
    assert first.granted == ROBOTS / 2, "they have shared them evenly"
    assert [grant.session for grant in again] == [board.robot.nonce for board in boards], "none is lost"
    assert len(minted) == len(set(minted)) == len(live) + ROBOTS == 2 * ROBOTS
    assert len(taken_over) == len(set(taken_over)) == ROBOTS / 2


async def test_a_leash_of_its_own_finds_and_ends_what_minters_have_granted(tmp_path: Path, store_url: str) -> None:
    settings = CloudSettings(state_dir=str(tmp_path), store=store_url)
    async with AsyncExitStack() as stack:
        realtime = await stack.enter_async_context(realtime_service())
        store = await stack.enter_async_context(Store(store_url))
        openai = await stack.enter_async_context(OpenAI(realtime.settings()))
        leash = Leash(store, openai, Broadcasts(store, None, settings.imageflux.channel, video=False), Reins(grace=0.0))
        now = time.time()
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("01", "robot-1", "key", now, now + 60))
        working = asyncio.create_task(leash.run(apart=True))
        async with store.transaction() as t:
            await t.sessions.add(Session("s1", "robot-1", "button", now, now + 600))
            await t.sessions.add(Session("s2", "robot-1", "button", now, now))
        leash.on_event("robot-1", CallAnswered(session="s1", at=now, call_id="rtc_1"))
        await eventually(lambda: _reason(store, "s2"))
        leash.on_event("robot-1", SessionEnded(session="s1", at=now, reason="button", seconds=1.0))
        assert await eventually(lambda: _reason(store, "s1")) == '{"why":"device: button","micros":0}'
        assert await eventually(lambda: _hung_up(realtime)) == ["rtc_1"]
        working.cancel()


async def _reason(store: Store, session: str) -> str | None:
    async with store.transaction() as t:
        found = [e.detail for e in [e async for e in t.audit.entries()] if e.subject == session]
    return found[0] if found else None


async def _hung_up(realtime: RealtimeService) -> list[str]:
    return realtime.hung_up


async def test_a_minter_waits_until_the_leash_has_written_down_an_end(store_url: str) -> None:
    now = time.time()
    async with Store(store_url) as store:
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("01", "robot-1", "key", now, now + 60))
            await t.sessions.add(Session("s1", "robot-1", "button", now, now + 600))
        endings = Endings(store)
        await endings.settled("robot-1")  # nothing was told
        endings.on_event("robot-1", SessionEnded(session="s1", at=now, reason="button", seconds=1.0))
        settled = asyncio.create_task(endings.settled("robot-1"))
        await asyncio.sleep(0)
        assert not settled.done()
        async with store.transaction() as t:
            await t.sessions.end("s1", now, "button")
        await settled
        endings.on_event("robot-1", SessionEnded(session="unknown", at=now, reason="button", seconds=1.0))
        await endings.settled("robot-1")


async def test_a_second_leash_waits_until_the_first_is_gone(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("provisioning.alone.LOOK_SECONDS", 0.01)
    caplog.set_level(logging.INFO)
    inside = asyncio.Event()

    async def second() -> None:
        async with alone(store_url, tmp_path):
            inside.set()

    async def told() -> bool:
        return "another process is the leash" in caplog.text

    async with alone(store_url, tmp_path):
        waiting = asyncio.create_task(second())
        await eventually(told)
        assert not inside.is_set()
    async with asyncio.timeout(5):
        await waiting
    assert inside.is_set()


async def test_a_leash_whose_connection_is_lost_takes_its_place_again_unless_another_has_it(
    postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.alone.LOOK_SECONDS", 0.01)
    url = postgresql.new_database()
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")

    async def holder() -> int:
        async with engine.connect() as connection:
            return (await connection.execute(text(HOLDER))).scalar() or 0

    async def cut_off() -> int:
        before = await holder()
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_terminate_backend({before})"))
        return before

    async with alone(url, tmp_path) as keep:
        keeping = asyncio.create_task(keep())
        before = await cut_off()
        assert await eventually(lambda: _another(holder, before))
        keeping.cancel()
        async with engine.connect() as rival:
            await cut_off()
            await rival.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
            with pytest.raises(StoreError, match="another process has taken"):
                await keep()
    await engine.dispose()


HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


async def _another(holder: Callable[[], Awaitable[int]], before: int) -> bool:
    return await holder() not in {0, before}


async def test_a_place_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used"):
        async with alone("sqlite:///x", tmp_path / "file"):
            pytest.fail("there is no such folder")
    for url in ("nonsense", f"postgresql+psycopg://nobody@/none?host={tmp_path}"):
        with pytest.raises(StoreError, match="the store cannot be opened"):
            async with alone(url, tmp_path):
                pytest.fail("there is no such store")


def test_every_part_has_a_name_of_its_own_and_the_rights_that_it_needs() -> None:
    assert len(set(SERVICES)) == len(SERVICES)
    assert not any(is_device_name(name) for name in SERVICES)
    whole = set(rights_of_service("minter"))
    for role in (Role.MINT, Role.WEB, Role.LEASH):
        assert set(rights_of_service(Place(role).identity)) < whole
    allowed = {(right.action, right.topic) for right in rights_of_service("minter-web")}
    assert (Action.PUBLISH, topics.mint_answer("+")) not in allowed
    assert (Action.SUBSCRIBE, topics.command("+")) not in allowed
