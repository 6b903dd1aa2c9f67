from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from device.errors import StoreError
from device.messages.reports import CallAnswered, SessionEnded
from provisioning import leash as module
from provisioning.leash import Leash, Reins
from provisioning.sessions import Session
from tests.eventually import eventually
from tests.provisioning.minting_bench import Bench, minting_bench
from tests.provisioning.realtime_service import error

SESSION = Session("s", "robot-1", "button", time.time(), 4e9)
ANSWERED = CallAnswered(session="s", at=1.0, call_id="rtc_1")
ENDED = SessionEnded(session="s", at=2.0, reason="button", seconds=1.0)


@asynccontextmanager
async def leashed(folder: Path) -> AsyncIterator[tuple[Bench, Leash]]:
    """A leash that runs, and one session on it with a channel."""
    async with minting_bench(folder) as bench:
        await bench.robot()
        async with bench.store.transaction() as t:
            await t.sessions.add(SESSION)
        assert await bench.broadcasts.open("s")
        leash = Leash(bench.store, bench.openai, bench.broadcasts, Reins(grace=0.0))
        leash.granted(SESSION)
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
    monkeypatch.setattr(module, "HANG_UP_PAUSES", (0.01,) * 200)
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
