"""What devices tell of sessions that are over: kept once, of their own only, and found again by the day."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec
import pytest

from device.messages.reports import SessionEnded, SessionFigures, TurnFigures
from provisioning.figures import FigureBook
from provisioning.past import Past
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.site import site

NOON = 1_800_000_000.0
TURNS = [TurnFigures(total=810, network=30, model=700, device=80), TurnFigures(total=640)]
FIGURES = SessionFigures(session="ab01", at=NOON, seconds=55.0, listening=900, turns=TURNS, tools=2, recorded=True)


async def prepare(store: Store) -> None:
    """Enter two robots, and three sessions of the first."""
    async with store.transaction() as t:
        for number in (1, 2):
            await t.devices.enrol("", Certificate(f"0{number}", f"robot-{number}", f"key {number}", NOON, NOON + 1))
        for session, at in (("ab01", NOON), ("ab02", NOON + 60), ("cd03", NOON + 86_400)):
            await t.sessions.add(Session(session, "robot-1", "button", at, at + 600, reserved=3_000_000))
        await t.sessions.end("ab01", NOON + 58, "device: button", lambda _: 1_250_000)


async def found(store: Store, since: float, until: float, device: str | None = None) -> list[Past]:
    async with store.transaction() as t:
        return await t.history.between(since, until, device)


async def begins(store: Store, session: str) -> list[str]:
    async with store.transaction() as t:
        return [past.id for past in await t.history.find(session)]


async def test_figures_are_kept_once_and_of_a_device_s_own_sessions(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with Store(store_url) as store:
        await prepare(store)
        book = FigureBook(store)
        working = asyncio.create_task(book.run())
        book.on_event("robot-1", SessionEnded(session="ab01", at=NOON, reason="button", seconds=55.0))
        book.on_event("robot-2", FIGURES)
        book.on_event("robot-1", FIGURES)
        book.on_event("robot-1", SessionFigures(session="ab01", at=NOON, listening=1))
        book.on_event("robot-1", SessionFigures(session="nowhere", at=NOON))
        book.on_event("robot-1", SessionFigures(session="ab02", at=NOON, seconds=1.0))
        await eventually(lambda: _told(store, "ab02"))
        working.cancel()
        first, second = await found(store, NOON, NOON + 3600)
    assert (first.talked, first.listening, first.on_air, first.tools, first.recorded) == (55.0, 900, None, 2, True)
    assert first.turns == tuple(TURNS)
    assert (first.lasted, first.end_reason, first.cost) == (58.0, "device: button", 1_250_000)
    assert (second.id, second.lasted, second.turns) == ("ab02", None, ())
    assert caplog.text.count("none of its own, or twice") == 3


async def _told(store: Store, session: str) -> bool:
    async with store.transaction() as t:
        (past,) = await t.history.find(session)
    return past.talked is not None


async def test_a_running_cloud_keeps_what_its_robots_tell(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        grant = await board.mint()
        await board.event(SessionEnded(session=grant.session, at=NOON, reason="button", seconds=55.0))
        await board.event(msgspec.structs.replace(FIGURES, session=grant.session))
        await eventually(lambda: _told(here.cloud.store, grant.session))


async def test_sessions_are_found_by_day_robot_and_beginning(store_url: str) -> None:
    async with Store(store_url) as store:
        await prepare(store)
        assert [past.id for past in await found(store, NOON, NOON + 86_400)] == ["ab01", "ab02"]
        assert [past.id for past in await found(store, NOON + 60, NOON + 86_401)] == ["ab02", "cd03"]
        assert await found(store, NOON, NOON + 86_400, "robot-2") == []
        assert await begins(store, "ab") == ["ab02", "ab01"]
        assert await begins(store, "%") == [], "no sign stands for others"
