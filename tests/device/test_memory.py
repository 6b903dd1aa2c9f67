"""What a robot keeps of sessions that are over: nothing."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections import Counter
from contextlib import suppress

import pytest
from msgspec.structs import replace

from device import phase as p
from device.agent import Agent, Inbox
from device.mint import MintClient
from device.panel.board import Panel
from device.panel.settings import PanelSettings
from device.phase import AT_REST, Phase
from device.session import Session
from tests.device.test_holdings import Bench, bench
from tests.eventually import eventually

OURS = ("device.", "aiortc.", "aioice.", "pyee.", "av.", "asyncio.", "gpiozero.")
"""Modules whose objects a session is made of."""

SESSIONS = 3

KEPT = "asyncio.events.TimerHandle"
"""Timers that were cancelled stay with the event loop until there are a hundred of them."""


def alive() -> Counter[str]:
    """Count what is alive of them, by class."""
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in kinds)
    return Counter(name for name in names if name.startswith(OURS) and name != KEPT)


def outlived(grown: Counter[str]) -> list[str]:
    """Name what is left of sessions: anything of the robot's own, and of others' one for each session or more."""
    return [name for name, count in grown.items() if name.startswith("device.") or count >= SESSIONS]


class Robot:
    """An agent with the real parts of a session, where a cloud grants all that is asked for."""

    def __init__(self, ready: Bench, panel: Panel) -> None:
        ids = itertools.count(1)
        self.ready, self.inbox = ready, Inbox()
        self.session = Session(lambda: f"{next(ids):032x}")
        outlet = ready.holdings._with.outlet
        self.agent = Agent(self.session, self.inbox, panel, ready.voice, outlet, ready.holdings, asyncio.Event())

    async def until(self, kind: type[p.Event]) -> None:
        """Pass on what is posted, up to an event of this kind."""
        while True:
            event = await self.ready.next()
            self.inbox.post(event)
            if isinstance(event, kind):
                return

    async def talk(self) -> None:
        """Have a conversation of one answer, from a press to a press."""
        self.inbox.post(p.Pressed())
        await self.until(p.CallUp)
        self.inbox.post(p.SayWished("Say hello.", 1))
        await self.until(p.Heeded)
        self.inbox.post(p.Pressed())
        await self.until(p.Released)
        while self.session.phase not in AT_REST:
            await asyncio.sleep(0)
        self.ready.broker._outbox.clear()


async def test_nothing_of_a_session_outlives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        bench() as ready,
        Panel(PanelSettings(factory="mock"), lambda *_: None) as panel,
        asyncio.TaskGroup() as tasks,
    ):

        async def connected(_seconds: float) -> bool:
            return True

        async def granted(_client: MintClient, session: str, *_: object, **__: object) -> object:
            return replace(ready.grant, session=session)

        monkeypatch.setattr(ready.broker, "connected", connected)
        monkeypatch.setattr(MintClient, "mint", granted)
        robot = Robot(ready, panel)
        running = tasks.create_task(robot.agent.run())
        robot.inbox.post(p.Ready())
        for _ in range(2):  # what is made once, such as pools and caches, is made in these
            await robot.talk()
        before = alive()
        for _ in range(SESSIONS):
            await robot.talk()

        async def gone() -> bool:  # the service's end, which is in this process, is taken down by threads
            return not outlived(alive() - before)

        with suppress(TimeoutError):
            await eventually(gone)
        assert outlived(alive() - before) == []
        robot.inbox.post(p.Quit())
        await running
    assert robot.session.phase is Phase.STOPPED
