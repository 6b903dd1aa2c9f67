"""Budgets, hours, halts and breakers at the mint, on both kinds of store."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from device.errors import StoreError
from device.messages.minting import Refusal
from provisioning.audit import Audit
from provisioning.breaker import FAILURES, REST
from provisioning.granting import Terms
from provisioning.halts import Halt
from provisioning.minting import Minter
from provisioning.policy import DAY
from provisioning.sessions import Session
from provisioning.spending.caps import Cap, Caps, Spent, day_of, month_of
from provisioning.spending.hours import hours
from provisioning.spending.rules import Rules
from provisioning.store import Store
from tests.provisioning.minting_bench import NOW, TERMS, Bench, Robot, minting_bench, settled
from tests.provisioning.realtime_service import error

ONE = Rules().reservation(600)
"""What is put aside for one session of the bench, in micros."""

TOMORROW = NOW - NOW % DAY + DAY


def limited(**caps: Any) -> Terms:
    return replace(TERMS, rules=Rules(caps=Caps(**caps)))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with minting_bench(tmp_path, limited(fleet=Cap(day=2 * ONE))) as ready:
        yield ready


@pytest.fixture
async def either(tmp_path: Path, store_url: str) -> AsyncIterator[Bench]:
    """The same on each kind of store."""
    async with minting_bench(tmp_path, limited(fleet=Cap(day=2 * ONE)), store_url) as ready:
        yield ready


async def spent(store: Store, account: str = "fleet", now: float = NOW) -> Spent:
    """Return today's total, having made sure that it is this month's, too."""
    async with store.transaction() as t:
        totals = await t.ledger.totals([day_of(now), month_of(now)])
    today = totals.get((account, day_of(now)), Spent())
    assert today == totals.get((account, month_of(now)), Spent())
    return today


async def asked(minter: Minter, robot: Robot, now: float = NOW) -> Refusal | None:
    """Ask for a session, and return why there is none."""
    return robot.answer(await minter.answer(robot.request(now), robot.name, now)).refusal


def second(bench: Bench, store: Store, terms: Terms) -> Minter:
    """Another minter of the same fleet, with a connection of its own to its store."""
    signer = bench.authority.mint_signer
    return Minter(store, signer, bench.openai, bench.broadcasts, terms, bench.granted.append, settled, bench.duty)


async def test_what_a_session_may_cost_is_put_aside_and_settled_at_its_end(bench: Bench) -> None:
    robot = await bench.robot()
    assert await asked(bench.minter, robot) is None
    assert await spent(bench.store) == await spent(bench.store, "device:robot-1") == Spent(0, ONE)
    async with bench.store.transaction() as t:
        assert await t.sessions.end(robot.nonce, NOW + 60, "done", lambda _: 1234, reported=True)
        assert not await t.sessions.end(robot.nonce, NOW + 61, "again", lambda _: 9999)
        assert not await t.sessions.report(robot.nonce, "robot-1", lambda _: 9999)
    assert await spent(bench.store) == await spent(bench.store, "device:robot-1") == Spent(1234, 0)


def billing(micros: int, _session: Session) -> int:
    return micros


async def test_no_bill_is_below_nothing_or_above_what_was_put_aside(bench: Bench) -> None:
    for number, (billed, cost) in enumerate([(-5, 0), (10**15, ONE)]):
        robot = await bench.robot(f"robot-{number}")
        assert await asked(bench.minter, robot) is None
        async with bench.store.transaction() as t:
            await t.sessions.end(robot.nonce, NOW + 60, "done", partial(billing, billed))
        assert await spent(bench.store, f"device:robot-{number}") == Spent(cost, 0)


async def test_a_late_report_counts_once_and_of_its_own_device_only(bench: Bench) -> None:
    robot = await bench.robot()
    assert await asked(bench.minter, robot) is None
    async with bench.store.transaction() as t:
        assert not await t.sessions.report(robot.nonce, "robot-1", lambda _: 1), "it goes on"
        await t.sessions.end(robot.nonce, NOW + 60, "deadline")
        assert not await t.sessions.report(robot.nonce, "robot-2", lambda _: 1)
        assert await t.sessions.report(robot.nonce, "robot-1", lambda _: 77)
        assert not await t.sessions.report(robot.nonce, "robot-1", lambda _: 1)
    assert await spent(bench.store) == Spent(77, 0)


async def test_a_used_up_budget_is_told_with_the_time_at_which_there_is_more(bench: Bench) -> None:
    robots = [await bench.robot(f"robot-{number}") for number in range(3)]
    assert [await asked(bench.minter, robot) for robot in robots[:2]] == [None, None]
    answer = robots[2].answer(await bench.minter.answer(robots[2].request(), "robot-2", NOW))
    assert (answer.refusal, answer.retry_after) == (Refusal.BUDGET, TOMORROW - NOW)
    assert "fleet" in answer.text
    assert await asked(bench.minter, robots[2], TOMORROW - 0.5) is Refusal.BUDGET
    assert await asked(bench.minter, robots[2], TOMORROW) is None


async def test_two_minters_at_once_do_not_overspend(either: Bench, store_url: str) -> None:
    robots = [await either.robot(f"robot-{number}") for number in range(6)]
    async with Store(store_url) as other:
        minters = [either.minter, second(either, other, limited(fleet=Cap(day=2 * ONE)))]
        answers = await asyncio.gather(*(asked(minters[i % 2], robot) for i, robot in enumerate(robots)))
    assert sorted(answers, key=str) == [Refusal.BUDGET] * 4 + [None] * 2
    assert await spent(either.store) == Spent(0, 2 * ONE)
    assert len(either.realtime.requests) == 2


async def test_two_ends_at_once_charge_once(either: Bench, store_url: str) -> None:
    robot = await either.robot()
    assert await asked(either.minter, robot) is None

    async def end(store: Store) -> bool:
        async with store.transaction() as t:
            return await t.sessions.end(robot.nonce, NOW + 60, "done", lambda _: 500)

    async with Store(store_url) as other:
        ended = await asyncio.gather(*(end(store) for store in (either.store, other, either.store)))
    assert sorted(ended) == [False, False, True]
    assert await spent(either.store) == Spent(500, 0)


async def test_a_group_has_a_budget_and_what_was_spent_stays_there(tmp_path: Path) -> None:
    async with minting_bench(tmp_path, limited(groups={"lobby": Cap(day=ONE)})) as bench:
        first, other = await bench.robot("robot-1"), await bench.robot("robot-2")
        async with bench.store.transaction() as t:
            assert await t.groups.move("robot-1", "lobby")
            assert await t.groups.move("robot-2", "lobby")
            assert not await t.groups.move("robot-9", "lobby")
        assert await asked(bench.minter, first) is None
        assert await asked(bench.minter, other) is Refusal.BUDGET
        async with bench.store.transaction() as t:
            await t.groups.move("robot-1", "")
            await t.sessions.end(first.nonce, NOW + 1, "done", lambda _: 10)
        assert await spent(bench.store, "group:lobby") == Spent(10, 0)
        assert await asked(bench.minter, other, NOW + 2) is Refusal.BUDGET


async def test_a_transaction_that_fails_at_its_end_puts_nothing_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    robot = await bench.robot()
    with monkeypatch.context() as broken:
        broken.setattr(Audit, "add", fail)
        assert await bench.minter.answer(robot.request(), "robot-1", NOW) is None
    assert await spent(bench.store) == Spent()
    assert bench.realtime.requests == []
    assert await asked(bench.minter, robot) is None


KILLED = f"""
import asyncio, os, signal, sys
from provisioning.sessions import Session
from provisioning.store import Store

async def main(url, nonce):
    async with Store(url) as store:
        async with store.transaction() as t:
            await t.sessions.end(nonce, {NOW + 60}, "done", lambda _: 5)
            await t.sessions.add(Session("other", "robot-1", "button", {NOW}, {NOW + 600}, reserved=7))
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_kill_in_mid_transaction_loses_and_spends_nothing(either: Bench, store_url: str) -> None:
    robot = await either.robot()
    assert await asked(either.minter, robot) is None
    command = [sys.executable, "-c", KILLED, store_url, robot.nonce]
    killed = await asyncio.to_thread(subprocess.run, command, check=False, timeout=30)
    assert killed.returncode == -signal.SIGKILL
    assert await spent(either.store) == Spent(0, ONE)
    async with either.store.transaction() as t:
        assert [session.id for session in await t.sessions.live()] == [robot.nonce]
        assert await t.sessions.end(robot.nonce, NOW + 60, "done", lambda _: 5)
    assert await spent(either.store) == Spent(5, 0)


async def test_a_locked_store_grants_late_and_once(tmp_path: Path) -> None:
    async with minting_bench(tmp_path, limited(fleet=Cap(day=ONE))) as bench:
        robot = await bench.robot()
        with closing(sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)) as locked:
            locked.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(asked(bench.minter, robot))
            assert not (await asyncio.wait([task], timeout=0.1))[0]
            locked.execute("ROLLBACK")
        assert await task is None
        assert await spent(bench.store) == Spent(0, ONE)


async def test_a_leap_day_is_a_day_and_belongs_to_its_month(tmp_path: Path) -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC).timestamp()
    async with minting_bench(tmp_path, limited(device=Cap(day=ONE, month=2 * ONE))) as bench:
        robot = await bench.robot(days=900, now=leap - 3000)
        outcomes = []
        for days in (-1, 0, 0.4, 0.6):
            now = leap + days * DAY
            outcomes.append(await asked(bench.minter, robot, now))
            async with bench.store.transaction() as t:
                await t.sessions.end(robot.nonce, now, "done")
    assert outcomes == [None, None, Refusal.BUDGET, None], "the last is of March, and has a month of its own"


async def test_nothing_begins_outside_the_hours_of_fleet_and_group(tmp_path: Path) -> None:
    noon = datetime(2027, 6, 2, 12, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()
    rules = Rules(
        fleet_hours=hours("Asia/Tokyo", ("mon-fri 09:00-18:00",)),
        group_hours={"bar": hours("UTC", ("daily 18:00-19:00",))},
    )
    async with minting_bench(tmp_path, replace(TERMS, rules=rules)) as bench:
        robot = await bench.robot(now=noon - 60)
        assert await asked(bench.minter, robot, noon) is None
        session, late = robot.nonce, noon + 6 * 3600
        answer = robot.answer(await bench.minter.answer(robot.request(late), "robot-1", late))
        assert (answer.refusal, answer.retry_after) == (Refusal.QUOTA, 15 * 3600)
        async with bench.store.transaction() as t:
            await t.sessions.end(session, noon, "done")
            await t.groups.move("robot-1", "bar")
        assert await asked(bench.minter, robot, noon + 1) is Refusal.QUOTA


async def test_a_halted_fleet_is_told_why_and_goes_on_later(bench: Bench) -> None:
    robot = await bench.robot()
    async with bench.store.transaction() as t:
        assert await t.halts.current() is None
        await t.halts.halt(Halt(NOW, "admin", "smoke in the hall"))
        await t.halts.halt(Halt(NOW, "admin", "and again"))
    answer = robot.answer(await bench.minter.answer(robot.request(), "robot-1", NOW))
    assert answer.refusal is Refusal.DENIED
    assert "smoke in the hall" in answer.text
    assert await spent(bench.store) == Spent()
    async with bench.store.transaction() as t:
        assert await t.halts.resume(NOW + 1)
        assert not await t.halts.resume(NOW + 2)
    assert await asked(bench.minter, robot, NOW + 3) is None


async def test_a_service_that_fails_again_and_again_is_left_alone_and_tried(bench: Bench) -> None:
    robots = [await bench.robot(f"robot-{number}") for number in range(FAILURES + 3)]
    bench.realtime.answer = error(500, "server_error")
    for robot in robots[:FAILURES]:
        assert await asked(bench.minter, robot) is Refusal.UPSTREAM
    last = robots[FAILURES]
    answer = last.answer(await bench.minter.answer(last.request(), last.name, NOW + 1))
    assert (answer.refusal, answer.retry_after) == (Refusal.UPSTREAM, REST - 1)
    assert len(bench.realtime.requests) == FAILURES, "nobody was asked"
    assert await spent(bench.store) == Spent(), "what is not begun costs nothing"
    bench.realtime.answer = None
    assert await asked(bench.minter, robots[-1], NOW + REST) is None
    assert await asked(bench.minter, last, NOW + REST + 1) is None


async def test_a_broadcast_service_that_fails_is_left_alone_and_the_talk_goes_on(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        robots = [await bench.robot(f"robot-{number}") for number in range(FAILURES + 2)]
        bench.imageflux.faults.api_status = 500
        whys = [
            robot.grant(await bench.minter.answer(robot.request(), robot.name, NOW)).no_broadcast
            for robot in robots[:-1]
        ]
        assert ["in a row" in why for why in whys] == [False] * FAILURES + [True]
        bench.imageflux.faults.api_status = 0
        tried = robots[-1]
        later = NOW + REST
        assert tried.grant(await bench.minter.answer(tried.request(later), tried.name, later)).broadcast is not None
