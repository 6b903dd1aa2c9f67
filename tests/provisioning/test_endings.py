"""A minter that is a process of its own: what it knows of sessions that are over, and for how long."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from device.messages.reports import CallLeft, SessionEnded
from provisioning.endings import Endings
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.store import Store


def ended(session: str = "s") -> SessionEnded:
    return SessionEnded(session=session, at=1.0, reason="button", seconds=1.0)


async def test_a_request_waits_until_the_end_that_was_told_is_written_down(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path}/s") as store:
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("1", "robot-1", "key", 0.0, 4e9))
            await t.sessions.add(Session("s", "robot-1", "button", time.time(), 4e9))
        endings = Endings(store)
        endings.on_event("robot-1", CallLeft(session="s", at=1.0, call_id="rtc_1"))
        await endings.settled("robot-1")  # nothing has been told
        endings.on_event("robot-1", ended())
        waiting = asyncio.create_task(endings.settled("robot-1"))
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
        async with store.transaction() as t:
            await t.sessions.end("s", time.time(), "over")
        async with asyncio.timeout(1):
            await waiting


async def test_the_ends_of_a_whole_fleet_are_not_known_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.endings.MOST_TOLD", 100)
    endings = Endings(Store(f"sqlite:///{tmp_path}/never opened"))
    for number in range(1000):
        endings.on_event(f"robot-{number}", ended(f"s{number}"))
    assert len(endings._told) == 100
    async with asyncio.timeout(1):
        await endings.settled("robot-1")  # whose end nobody remembers, and nobody asks the store about
