from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest

from device import console as module
from device.clock import WallClock
from device.console import Console
from device.messages.console import EventsMissed, LevelsNow, Shown, WireEvent, decode_shown
from device.messages.enrolment import BrokerAddress
from device.messages.reports import Levels
from device.mqtt import Broker, Presence
from device.outlet import Outlet

CREATED = '{"type":"session.created","session":{"model":"gpt-realtime"}}'
DONE = '{"type":"response.done"}'


class Wall(Broker):
    """A broker that keeps what is published."""

    def __init__(self) -> None:
        nobody = BrokerAddress(host="127.0.0.1", port=1)
        super().__init__(Presence(nobody, "robot", ssl.create_default_context(), "will", b""))
        self.shown: list[Shown] = []

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, within: float | None = None
    ) -> None:
        assert within is None
        assert (topic, qos, retain) == ("kaiwa/v1/robot/console", 0, False)
        self.shown.append(decode_shown(payload))

    @property
    def names(self) -> list[str]:
        return [shown.name for shown in self.shown if isinstance(shown, WireEvent)]


class Moment:
    """Monotonic seconds that stand still."""

    def __init__(self) -> None:
        self.now = 100.0


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Moment:
    made = Moment()
    monkeypatch.setattr(module, "now", lambda: made.now)
    return made


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def console(wall: Wall, moment: Moment) -> Console:
    assert moment.now
    return Console(Outlet("robot", wall, WallClock()), lambda: Levels(user=-20.0))


def test_nothing_is_shown_unless_somebody_watches(console: Console, wall: Wall, moment: Moment) -> None:
    console.take(DONE, sent=False)
    console.watch(10)
    console.take(DONE, sent=True)
    moment.now += 10
    console.take(DONE, sent=False)
    assert [(shown.name, shown.sent) for shown in wall.shown if isinstance(shown, WireEvent)] == [
        ("response.done", True)
    ]


def test_who_comes_later_is_shown_the_settings_and_nobody_those_of_a_call_that_is_over(
    console: Console, wall: Wall
) -> None:
    console.take(CREATED, sent=False)
    assert wall.names == []
    console.watch(10)
    console.watch(10)
    assert wall.names == ["session.created"]
    console.watch(0)
    console.forget()
    console.watch(10)
    assert wall.names == ["session.created"]


def test_a_lease_can_be_given_up(console: Console, wall: Wall) -> None:
    console.watch(10)
    console.watch(0)
    console.take(DONE, sent=False)
    assert not console.watched
    assert wall.shown == []


def test_too_many_events_are_counted_and_not_shown(console: Console, wall: Wall, moment: Moment) -> None:
    console.watch(100)
    for _ in range(310):
        console.take(DONE, sent=False)
    assert len(wall.shown) == 300
    moment.now += 1
    console.take(DONE, sent=False)
    [missed] = [shown for shown in wall.shown if isinstance(shown, EventsMissed)]
    assert missed.count == 10
    assert len(wall.names) == 301


async def test_levels_are_shown_while_somebody_watches(console: Console, wall: Wall, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "LEVELS_SECONDS", 0.001)
    attending = asyncio.create_task(console.attend())
    await asyncio.sleep(0)
    assert wall.shown == []
    console.watch(10)
    async with asyncio.timeout(5):
        while len(wall.shown) < 3:
            await asyncio.sleep(0)
    attending.cancel()
    assert {shown.levels.user for shown in wall.shown if isinstance(shown, LevelsNow)} == {-20.0}
