"""However many devices there are, and however long they have been there: a grant and a report look at no more rows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import text

from device.messages.minting import Refusal
from device.messages.reports import CallAnswered, CallLeft, SessionEnded, SessionFigures, SessionGoesOn, TurnFigures
from provisioning.endings import Endings
from provisioning.leash import Leash, Reins
from provisioning.policy import Allowance
from provisioning.spending.caps import Cap, Caps
from provisioning.spending.rules import Rules
from tests.provisioning.minting_bench import TERMS, Bench, Robot, minting_bench
from tests.provisioning.old_fleet import BEFORE, SPEAKING, settle
from tests.provisioning.plans import Cost, executed

CAPPED: Final = replace(
    TERMS, allowance=Allowance(600, 1_000_000, 1_000_000), rules=Rules(caps=Caps(fleet=Cap(day=10**12, month=10**13)))
)

FEW: Final = {"sqlite": 1000, "postgresql": 60}
"""Steps of SQLite's virtual machine, or rows that PostgreSQL looks at: of one statement, at most."""


@asynccontextmanager
async def old_fleet(folder: Path, store_url: str) -> AsyncIterator[tuple[Bench, Robot]]:
    async with minting_bench(folder, CAPPED, store_url) as bench:
        robot = await bench.robot(now=time.time())
        await settle(bench.store, robot.name, time.time())
        yield bench, robot


async def one_talk(bench: Bench, robot: Robot, leash: Leash) -> str:
    """Have a session from its request to its figures, with another call, and asked for twice."""
    now = time.time()
    request = robot.request(now)
    grant = robot.grant(await bench.minter.answer(request, robot.name, now))
    bench.minter._answers.drop(robot.name, request)
    assert robot.refusal(await bench.minter.answer(request, robot.name, now)) is Refusal.REPLAY
    robot.grant(await bench.minter.answer(robot.request(now, continues=grant.session), robot.name, now))
    assert robot.refusal(await bench.minter.answer(robot.request(now), robot.name, now)) is Refusal.BUSY
    leash.granted(bench.granted[-1])
    for call in ("rtc_1", "rtc_2"):
        leash.on_event(robot.name, CallAnswered(session=grant.session, at=now, call_id=call))
    leash.on_event(robot.name, CallLeft(session=grant.session, at=now, call_id="rtc_1"))
    leash.on_event(robot.name, SessionGoesOn(session=grant.session, at=now, usage={"responses": 1}))
    return grant.session


async def noted(leash: Leash) -> None:
    """Write down what has been said so far."""
    while not leash._notes.empty():
        await leash._notes.get_nowait()()


async def its_end(bench: Bench, robot: Robot, leash: Leash, session: str) -> None:
    ended = SessionEnded(session=session, at=time.time(), reason="button", seconds=1.0, usage={"responses": 1})
    leash.on_event(robot.name, ended)
    for ending in leash._watch.due(time.time()):
        await leash._end(ending)
    leash.on_event(robot.name, ended)
    await noted(leash)
    endings = Endings(bench.store)
    endings.on_event(robot.name, ended)
    await endings.settled(robot.name)
    async with bench.store.transaction() as t:
        turns = [TurnFigures(total=500)]
        assert await t.history.add(robot.name, SessionFigures(session=session, at=time.time(), turns=turns))


def few(store_url: str) -> float:
    return FEW["sqlite" if store_url.startswith("sqlite") else "postgresql"]


def too_dear(costs: list[Cost], most: float) -> list[Cost]:
    return [cost for cost in costs if cost.scanned or cost.work > most]


async def test_no_statement_of_a_grant_or_a_report_looks_through_a_large_table(tmp_path: Path, store_url: str) -> None:
    async with old_fleet(tmp_path, store_url) as (bench, robot):
        leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0, rules=CAPPED.rules))
        with executed(bench.store) as found:
            session = await one_talk(bench, robot, leash)
            await noted(leash)
            await its_end(bench, robot, leash, session)
        costs = await found.costs()
    assert len(costs) > 25
    assert any("nonces" in cost.statement for cost in costs)
    assert too_dear(costs, few(store_url)) == []


async def test_what_the_leash_looks_for_again_and_again_is_found_by_an_index(tmp_path: Path, store_url: str) -> None:
    async with old_fleet(tmp_path, store_url) as (bench, _robot):
        leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))
        now = time.time()
        with executed(bench.store) as often:
            assert await leash._forbidden(now - 300) == (None, set())
            await bench.broadcasts.close_orphans()
            await bench.broadcasts.open("live 1")
            await bench.broadcasts.close_left_over()
        with executed(bench.store) as all_live:
            await leash._forget_requests()
            async with bench.store.transaction() as t:
                assert len(await t.sessions.live()) == SPEAKING
                assert await t.sessions.count_live() == SPEAKING
                assert [new.id for new in await t.sessions.unknown(lambda known: known != "live 7")] == ["live 7"]
                assert await t.sessions.of_revoked(0.0) == {f"other-{n}" for n in range(10, SPEAKING + 1, 10)}
        assert too_dear(await often.costs(), few(store_url)) == []
        assert too_dear(await all_live.costs(), float("inf")) == []
        await notices_what_looks_through_a_table(bench)


async def notices_what_looks_through_a_table(bench: Bench) -> None:
    assert bench.store._database is not None
    with executed(bench.store) as found:
        async with bench.store._database.transaction() as connection:
            await connection.execute(text("SELECT count(*) FROM sessions WHERE end_reason = 'x'"))
            await connection.execute(text("SELECT count(*) FROM sessions WHERE device = 'robot-1' AND cost = 1"))
    through, many = await found.costs()
    assert through.scanned == {"sessions"}
    assert not many.scanned
    assert many.work >= BEFORE
