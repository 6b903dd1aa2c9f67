"""A session that goes on with another call: what the cloud grants, counts, keeps and releases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from device.messages.minting import Grant, Refusal
from device.messages.reports import CallAnswered, CallLeft, SessionEnded
from provisioning.duty import Duty, on_duty
from provisioning.leash import Leash, Reins
from provisioning.minting import Minter
from provisioning.policy import Allow, Allowance, Counts, Refuse, Status, go_on
from provisioning.sessions import Session
from provisioning.spending.caps import Cap, Caps
from provisioning.spending.rules import Rules
from tests.eventually import eventually
from tests.provisioning.minting_bench import ALLOWANCE, NOW, TERMS, Bench, Robot, minting_bench, settled
from tests.provisioning.realtime_service import error

LATER = NOW + 300.0
RESERVED = Rules().reservation(ALLOWANCE.session_seconds)
JUST_ONE = Rules(caps=Caps(device=Cap(day=RESERVED)))


@pytest.fixture
async def bench(tmp_path: Path, store_url: str) -> AsyncIterator[Bench]:
    async with minting_bench(tmp_path, replace(TERMS, rules=JUST_ONE), store_url) as ready:
        yield ready


async def begun(bench: Bench, robot: Robot) -> Grant:
    return robot.grant(await bench.minter.answer(robot.request(), robot.name, NOW))


def more(robot: Robot, session: str, now: float = LATER) -> bytes:
    return robot.request(now, continues=session, reason="renewal")


async def refused(bench: Bench, robot: Robot, session: str, now: float = LATER) -> Refusal:
    return robot.refusal(await bench.minter.answer(more(robot, session, now), robot.name, now))


async def session_of(bench: Bench, session: str) -> Session:
    async with bench.store.transaction() as t:
        found = await t.sessions.find(session)
    assert found is not None
    return found


async def test_it_is_given_a_secret_and_keeps_budget_deadline_and_channel(bench: Bench) -> None:
    robot = await bench.robot()
    first = await begun(bench, robot)
    before, channels = await session_of(bench, first.session), await bench.channels.channels()
    second = robot.grant(await bench.minter.answer(more(robot, first.session), robot.name, LATER))
    assert second.session == first.session
    assert second.openai.secret.reveal() != first.openai.secret.reveal()
    assert (second.broadcast, second.no_broadcast) == (None, "")
    assert await session_of(bench, first.session) == before
    assert await bench.channels.channels() == channels
    assert [session.id for session in bench.granted] == [first.session]
    assert await bench.actions() == ["mint", "renew"]
    async with bench.store.transaction() as t:
        spent = await t.ledger.totals(["2027-01-15"])
    assert {total.reserved for total in spent.values()} == {RESERVED}, (
        "put aside once, and the budget has no room for more"
    )


async def test_only_a_session_of_the_same_robot_that_goes_on_can(bench: Bench) -> None:
    robot, other = await bench.robot(), await bench.robot("robot-2")
    session = (await begun(bench, robot)).session
    assert await refused(bench, other, session) is Refusal.DENIED
    assert await refused(bench, robot, "f" * 32) is Refusal.DENIED
    assert await refused(bench, robot, session, NOW + ALLOWANCE.session_seconds) is Refusal.DENIED
    async with bench.store.transaction() as t:
        await t.sessions.end(session, LATER, "button")
    assert await refused(bench, robot, session) is Refusal.DENIED
    assert len(bench.realtime.requests) == 1


async def test_each_counts_as_a_session_of_the_day_unless_the_service_failed(bench: Bench) -> None:
    robot = await bench.robot()
    session = (await begun(bench, robot)).session
    bench.realtime.answer = error(503, "server_error")
    assert await refused(bench, robot, session) is Refusal.UPSTREAM
    assert (await session_of(bench, session)).ended_at is None, "the talk goes on with the call that it has"
    bench.realtime.answer = None
    for number in range(ALLOWANCE.sessions_per_day - 1):
        now = LATER + 60 * number
        robot.grant(await bench.minter.answer(more(robot, session, now), robot.name, now))
    assert await refused(bench, robot, session, LATER + 299) is Refusal.QUOTA


@pytest.mark.parametrize("status", Status)
def test_the_policy_of_a_session_that_goes_on_is_that_of_its_robot(status: Status) -> None:
    allowance = Allowance(session_seconds=60, sessions_per_day=2, requests_per_minute=3)
    verdict = go_on(status, NOW + 1000, Counts(live=1, today=1, minute=0), allowance, NOW + 10, NOW)
    assert isinstance(verdict, Allow if status is Status.ACTIVE else Refuse)
    if isinstance(verdict, Allow):
        assert verdict.deadline == NOW + 10


def another(bench: Bench, duty: Duty) -> Minter:
    """Return a second minter of the same store."""
    signer, told = bench.authority.mint_signer, bench.granted.append
    return Minter(bench.store, signer, bench.openai, bench.broadcasts, TERMS, told, settled, duty)


async def test_what_a_living_minter_serves_another_keeps_silent_about(
    bench: Bench, tmp_path: Path, store_url: str
) -> None:
    robot = await bench.robot()
    session = (await begun(bench, robot)).session
    request = more(robot, session)
    async with on_duty(store_url, tmp_path) as duty:
        robot.grant(await another(bench, duty).answer(request, robot.name, LATER))
        assert await bench.minter.answer(request, robot.name, LATER + 3) is None
    assert len(bench.realtime.requests) == 2


async def test_what_a_minter_leaves_behind_goes_on_by_another_and_counts_once(
    bench: Bench, tmp_path: Path, store_url: str
) -> None:
    robot = await bench.robot()
    session = (await begun(bench, robot)).session
    request = more(robot, session)
    async with on_duty(store_url, tmp_path) as duty:
        lost = robot.grant(await another(bench, duty).answer(request, robot.name, LATER))
    async with on_duty(store_url, tmp_path) as third:
        answers = [await bench.minter.answer(request, robot.name, LATER + second) for second in (3, 6)]
        assert await another(bench, third).answer(request, robot.name, LATER + 9) is None, "it has been taken over"
    grants = [robot.grant(answer) for answer in answers]
    assert grants[0] == grants[1]
    assert (grants[0].session, grants[0].broadcast) == (session, None)
    assert grants[0].openai.secret != lost.openai.secret
    assert await bench.actions() == ["mint", "renew", "take_over"]
    async with bench.store.transaction() as t:
        assert (await t.sessions.counts(robot.name, LATER + 9)).today == 2


async def test_what_has_ended_meanwhile_is_not_taken_over(bench: Bench, tmp_path: Path, store_url: str) -> None:
    robot = await bench.robot()
    session = (await begun(bench, robot)).session
    request = more(robot, session)
    async with on_duty(store_url, tmp_path) as duty:
        robot.grant(await another(bench, duty).answer(request, robot.name, LATER))
    async with bench.store.transaction() as t:
        await t.sessions.end(session, LATER, "button")
    assert robot.refusal(await bench.minter.answer(request, robot.name, LATER + 3)) is Refusal.REPLAY
    assert len(bench.realtime.requests) == 2


async def test_both_calls_are_kept_until_one_is_left(bench: Bench) -> None:
    await bench.robot()
    async with bench.store.transaction() as t:
        await t.sessions.add(Session("s", "robot-1", "button", NOW, LATER))
        seen = []
        for call in ("rtc_1", "rtc_1", "rtc_2", "rtc_2", "rtc_3"):
            await t.sessions.set_call("s", "robot-1", call)
            seen.append(await t.sessions.find("s"))
        for call in ("rtc_9", "rtc_2", "rtc_3"):
            await t.sessions.leave_call("s", "robot-1", call)
            seen.append(await t.sessions.find("s"))
    assert [(found.call_id, found.second_call_id) for found in seen if found] == [
        ("rtc_1", None),
        ("rtc_1", None),
        ("rtc_1", "rtc_2"),
        ("rtc_1", "rtc_2"),
        ("rtc_2", "rtc_3"),
        ("rtc_2", "rtc_3"),
        ("rtc_3", None),
        ("rtc_3", None),
    ]


async def test_the_leash_hangs_up_the_call_that_is_left_and_at_the_end_the_other(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        await bench.robot()
        async with bench.store.transaction() as t:
            await t.sessions.add(Session("s", "robot-1", "button", time.time(), 4e9))
        told = [CallAnswered(session="s", at=1.0, call_id=call) for call in ("rtc_1", "rtc_2")]
        leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))
        leash.granted(await session_of(bench, "s"))

        async def hung_up(count: int) -> list[str] | None:
            return bench.realtime.hung_up if len(bench.realtime.hung_up) == count else None

        async def noted() -> bool:
            found = await session_of(bench, "s")
            return (found.call_id, found.second_call_id) == ("rtc_1", "rtc_2")

        task = asyncio.create_task(leash.run())
        for event in told:
            leash.on_event("robot-1", event)
        await eventually(noted)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))  # after a crash, it knows both
        task = asyncio.create_task(leash.run())
        await eventually(lambda: watched(leash))
        leash.on_event("robot-2", CallLeft(session="s", at=2.0, call_id="rtc_1"))
        leash.on_event("robot-1", CallLeft(session="s", at=2.0, call_id="rtc_1"))
        assert await eventually(lambda: hung_up(1)) == ["rtc_1"]
        leash.on_event("robot-1", SessionEnded(session="s", at=3.0, reason="button", seconds=2.0))
        assert await eventually(lambda: hung_up(2)) == ["rtc_1", "rtc_2"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def watched(leash: Leash) -> bool:
    return leash._watch.watches("s")


async def test_after_a_crash_in_the_middle_both_calls_are_hung_up(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        await bench.robot()
        async with bench.store.transaction() as t:
            await t.sessions.add(Session("s", "robot-1", "button", time.time() - 9, time.time() - 1))
            await t.sessions.set_call("s", "robot-1", "rtc_1")
            await t.sessions.set_call("s", "robot-1", "rtc_2")
        task = asyncio.create_task(Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0)).run())

        async def both() -> bool:
            return sorted(bench.realtime.hung_up) == ["rtc_1", "rtc_2"]

        await eventually(both)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
