from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from device.errors import StoreError
from device.messages.reports import CallAnswered, DeviceState, Lifecycle, SessionEnded, SessionGoesOn
from provisioning import leash as module
from provisioning.halts import Halt
from provisioning.hanging_up import AT_ONCE
from provisioning.leash import Leash, Reins
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.spending.rules import Rules
from tests.eventually import eventually
from tests.provisioning.minting_bench import Bench, minting_bench
from tests.provisioning.realtime_service import error

NO_GRACE = Reins(grace=0.0)
SESSION = Session("s", "robot-1", "button", time.time(), 4e9)
ANSWERED = CallAnswered(session="s", at=1.0, call_id="rtc_1")
ENDED = SessionEnded(session="s", at=2.0, reason="button", seconds=1.0)


@asynccontextmanager
async def leashed(
    folder: Path, session: Session = SESSION, reins: Reins = NO_GRACE
) -> AsyncIterator[tuple[Bench, Leash]]:
    """A leash that runs, and one session on it with a channel."""
    async with minting_bench(folder) as bench:
        await bench.robot()
        async with bench.store.transaction() as t:
            await t.sessions.add(session)
        assert await bench.broadcasts.open("s")
        leash = Leash(bench.store, bench.openai, bench.broadcasts, reins)
        leash.granted(session)
        task = asyncio.create_task(leash.run())
        yield bench, leash
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def hung_up(bench: Bench) -> list[str]:
    return bench.realtime.hung_up


async def test_the_end_releases_call_and_channel(tmp_path: Path) -> None:
    async with leashed(tmp_path) as (bench, leash):
        leash.on_event("robot-1", ANSWERED)
        leash.on_event("robot-2", ENDED)
        leash.on_event("robot-1", ENDED)
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]

        async def released() -> bool:
            return not await bench.channels.channels()

        assert await eventually(released)


async def test_a_call_is_noted_for_a_later_start(tmp_path: Path) -> None:
    async with leashed(tmp_path) as (bench, leash):
        leash.on_event("robot-1", CallAnswered(session="s", at=1.0, call_id="../../files"))
        leash.on_event("robot-1", ANSWERED)

        async def noted() -> str | None:
            async with bench.store.transaction() as t:
                found = await t.sessions.find("s")
            return found.call_id if found else None

        assert await eventually(noted) == "rtc_1"


async def test_hanging_up_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.hanging_up.PAUSES", (0.01,) * 200)
    async with leashed(tmp_path) as (bench, leash):
        bench.realtime.answer = error(500, "server_error")
        leash.on_event("robot-1", ANSWERED)
        leash.on_event("robot-1", ENDED)

        async def refused() -> bool:
            return bench.realtime.hang_ups > 1

        await eventually(refused)
        bench.realtime.answer = None
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]


async def test_an_operator_s_stop_sets_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.watch.OBEDIENCE", 0.05)
    async with leashed(tmp_path) as (bench, leash):
        leash.on_event("robot-1", ANSWERED)
        leash.stop("robot-1")
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]

        async def ended_at() -> float | None:
            async with bench.store.transaction() as t:
                found = await t.sessions.find("s")
            return found.ended_at if found else None

        assert await eventually(ended_at) == pytest.approx(time.time(), abs=30)


async def test_a_session_given_up_while_it_is_granted_lets_its_device_ask_again_at_once(tmp_path: Path) -> None:
    async with leashed(tmp_path) as (bench, leash):
        under_way = Session("t", "robot-1", "button", time.time(), 4e9)
        async with bench.store.transaction() as t:
            await t.sessions.add(under_way)

        async def ended() -> bool:
            async with bench.store.transaction() as t:
                found = await t.sessions.find("t")
            return found is not None and found.ended_at is not None

        given_up = SessionEnded(session="t", at=1.0, reason="button", seconds=0.0)
        leash.on_event("robot-2", given_up)
        leash.on_event("robot-1", SessionEnded(session="no such session", at=1.0, reason="button", seconds=0.0))
        assert not await ended()
        leash.on_event("robot-1", given_up)
        assert await eventually(ended)


async def test_a_store_that_does_not_answer_ends_no_more_than_one_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    async with leashed(tmp_path) as (bench, leash):
        closing, tries = bench.broadcasts.close, 0

        async def close(session: str, channel_id: str) -> bool:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise StoreError("locked")
            return await closing(session, channel_id)

        monkeypatch.setattr(bench.broadcasts, "close", close)
        leash.on_event("robot-1", ANSWERED)
        leash.on_event("robot-1", ENDED)

        async def released() -> bool:
            return not await bench.channels.channels()

        assert await eventually(released)
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]


async def test_a_call_answered_after_its_session_was_ended_is_hung_up(tmp_path: Path) -> None:
    async with leashed(tmp_path) as (bench, leash):
        leash.on_event("robot-1", ENDED)
        await leash.settled("robot-1")
        leash.on_event("robot-2", CallAnswered(session="s", at=1.0, call_id="rtc_2"))
        leash.on_event("robot-1", ANSWERED)
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]


async def test_a_request_waits_until_the_end_before_it_is_written_down(tmp_path: Path) -> None:
    async with leashed(tmp_path) as (bench, leash):
        await leash.settled("robot-1")
        leash.on_event("robot-1", ENDED)
        await leash.settled("robot-1")
        async with bench.store.transaction() as t:
            found = await t.sessions.find("s")
        assert found is not None
        assert found.ended_at is not None


RESERVED = 5_000_000
USED = {"responses": 1, "output_audio_tokens": 100}


async def charged(bench: Bench, session: str = "s") -> int | None:
    async with bench.store.transaction() as t:
        found = await t.sessions.find(session)
    return found.cost if found else None


def priced(age: float) -> Session:
    """A session that began so many seconds ago, and for which money was put aside."""
    return replace(SESSION, created_at=time.time() - age, reserved=RESERVED)


async def test_a_session_costs_what_its_device_reports_once(tmp_path: Path) -> None:
    async with leashed(tmp_path, priced(20)) as (bench, leash):
        leash.on_event("robot-2", replace_usage(ENDED, {"responses": 0}))
        leash.on_event("robot-1", replace_usage(ENDED, USED))
        leash.on_event("robot-1", replace_usage(ENDED, {"responses": 0}))
        await leash.settled("robot-1")
        assert await charged(bench) == 6400
        leash.on_event("robot-1", replace_usage(ENDED, {"responses": 0}))
        await leash.settled("robot-1")
        assert await charged(bench) == 6400


@pytest.mark.parametrize("lie", [{}, {"responses": -1}, {"responses": 1, "output_audio_tokens": 10**25}])
async def test_a_lie_costs_what_the_time_may_have_cost(tmp_path: Path, lie: dict[str, int]) -> None:
    async with leashed(tmp_path, priced(20)) as (bench, leash):
        leash.on_event("robot-1", replace_usage(ENDED, lie))
        await leash.settled("robot-1")
        cost = await charged(bench)
        assert cost is not None
        assert Rules().tariff.bound(20) <= cost < Rules().tariff.bound(29)


async def test_a_device_that_never_reports_is_charged_for_its_time_until_it_does(tmp_path: Path) -> None:
    async with leashed(tmp_path, priced(20), Reins(grace=0.0, silence=0.05)) as (bench, leash):
        assert await eventually(lambda: charged(bench))
        assert (await charged(bench) or 0) >= Rules().tariff.bound(20)
        leash.on_event("robot-1", replace_usage(ENDED, USED))
        await leash.settled("robot-1")
        assert await charged(bench) == 6400


async def test_silence_does_not_count_while_nobody_is_heard(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        await bench.robot()
        heard = asyncio.Event()

        def hears() -> bool:
            heard.set()
            return False

        leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0, silence=0.01), hears)
        leash.granted(priced(0))
        task = asyncio.create_task(leash.run())
        async with asyncio.timeout(5):
            for _ in range(3):
                heard.clear()
                await heard.wait()
        assert leash._watch.find("robot-1", "s") is not None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_a_live_session_used_beyond_its_reservation_ends_it(tmp_path: Path) -> None:
    async with leashed(tmp_path, priced(20)) as (bench, leash):
        leash.on_event("robot-1", ANSWERED)
        much = {"responses": 9, "output_audio_tokens": 100_000}
        for device, session, usage in (
            ("robot-2", "s", much),
            ("robot-1", "t", much),
            ("robot-1", "s", USED),
            ("robot-1", "s", {"responses": -9}),
        ):
            leash.on_event(device, SessionGoesOn(session=session, at=1.0, usage=usage))
        assert leash._watch.find("robot-1", "s") is not None
        leash.on_event("robot-1", SessionGoesOn(session="s", at=1.0, usage=much))
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]
        assert await eventually(lambda: charged(bench))
        async with bench.store.transaction() as t:
            assert [entry.detail async for entry in t.audit.entries() if "budget" in entry.detail]


async def test_a_halt_ends_what_goes_on_also_after_a_restart(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        await bench.robot()
        async with bench.store.transaction() as t:
            await t.sessions.add(priced(20))
            await t.sessions.set_call("s", "robot-1", "rtc_1")
            await t.halts.halt(Halt(1.0, "admin", "smoke"))
        task = asyncio.create_task(Leash(bench.store, bench.openai, bench.broadcasts, NO_GRACE).run())
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]
        assert await eventually(lambda: charged(bench))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_last_will_is_no_sign_of_life(tmp_path: Path) -> None:
    async with leashed(tmp_path, priced(0), Reins(grace=0.0, silence=0.2)) as (bench, leash):
        leash.on_state(DeviceState(device="robot-1", lifecycle=Lifecycle.LOST, session="s"))
        leash.on_event("robot-1", ANSWERED)
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"], "long before it counts as absent"


async def talking(bench: Bench, robots: int, *, called: bool = True) -> None:
    """Have as many robots in a session each, with a call."""
    await bench.robot()
    async with bench.store.transaction() as t:
        for number in range(robots):
            name = f"talking-{number}"
            await t.devices.enrol("", Certificate(f"{number:x}", name, f"key {number}", 0.0, 4e9))
            await t.sessions.add(Session(f"s{number}", name, "button", time.time(), 4e9))
            if called:
                await t.sessions.set_call(f"s{number}", name, f"rtc_{number}")


async def over(bench: Bench) -> bool:
    async with bench.store.transaction() as t:
        return await t.sessions.count_live() == 0


async def test_a_halt_hangs_up_as_many_at_once_as_there_are_connections_for_and_each_once(tmp_path: Path) -> None:
    many = AT_ONCE + 8
    async with minting_bench(tmp_path) as bench:
        bench.realtime.together = AT_ONCE
        await talking(bench, many)
        async with bench.store.transaction() as t:
            await t.halts.halt(Halt(1.0, "admin", "smoke"))
        task = asyncio.create_task(Leash(bench.store, bench.openai, bench.broadcasts, NO_GRACE).run())
        assert await eventually(lambda: over(bench))

        async def all_hung_up() -> bool:
            return len(bench.realtime.hung_up) >= many

        assert await eventually(all_hung_up)
        assert sorted(bench.realtime.hung_up) == sorted(f"rtc_{number}" for number in range(many))
        assert bench.realtime.most_hanging_up == AT_ONCE
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_who_is_revoked_is_hung_up_whatever_the_broker_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HALT_SECONDS", 0.01)
    async with minting_bench(tmp_path) as bench:
        await talking(bench, 3)
        async with bench.store.transaction() as t:
            await t.devices.revoke("talking-0", time.time() - 7 * 86_400)  # while nobody looked
        task = asyncio.create_task(Leash(bench.store, bench.openai, bench.broadcasts, NO_GRACE).run())
        assert await eventually(lambda: hung_up(bench)) == ["rtc_0"]
        async with bench.store.transaction() as t:
            await t.devices.revoke("talking-2", time.time())

        async def another() -> bool:
            return len(bench.realtime.hung_up) > 1

        assert await eventually(another)
        assert bench.realtime.hung_up == ["rtc_0", "rtc_2"]
        async with bench.store.transaction() as t:
            assert [session.device for session in await t.sessions.live()] == ["talking-1"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_session_that_is_being_ended_is_not_taken_up_again(tmp_path: Path) -> None:
    async with minting_bench(tmp_path) as bench:
        await talking(bench, 2, called=False)
        leash = Leash(bench.store, bench.openai, bench.broadcasts, NO_GRACE)
        leash.granted(Session("s0", "talking-0", "button", 0.0, 1.0))
        [ending] = leash._watch.due(time.time())
        leash._ending.add(ending.session.id)
        assert [session.id for session in await leash._unknown()] == ["s1"]
        await leash._end(ending)
        assert leash._ending == set()


async def test_a_service_that_does_not_answer_keeps_nothing_from_being_written_down(tmp_path: Path) -> None:
    async with leashed(tmp_path) as (bench, leash):
        leash.on_event("robot-1", ENDED)
        await leash.settled("robot-1")
        bench.realtime.together = 99
        leash.on_event("robot-1", ANSWERED)
        under_way = Session("t", "robot-1", "button", time.time(), 4e9)
        async with bench.store.transaction() as t:
            await t.sessions.add(under_way)
        leash.on_event("robot-1", SessionEnded(session="t", at=1.0, reason="button", seconds=0.0))
        await leash.settled("robot-1")
        async with bench.store.transaction() as t:
            found = await t.sessions.find("t")
        assert found is not None
        assert found.ended_at is not None
        bench.realtime.enough.set()
        assert await eventually(lambda: hung_up(bench)) == ["rtc_1"]


def replace_usage(event: SessionEnded, usage: dict[str, int]) -> SessionEnded:
    return msgspec.structs.replace(event, usage=usage)
