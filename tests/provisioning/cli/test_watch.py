"""The fleet in a terminal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from rich.console import Console

from device.errors import MessageError
from device.messages import topics
from device.messages.reports import DeviceState, FaultRaised, Lifecycle, Spent
from device.messages.wire import encode
from provisioning.app import DEFAULT_OPERATOR
from provisioning.cli.watch import table, taken, watch
from provisioning.overview import Overview
from provisioning.settings import BrokerSettings, CloudSettings, replaced
from tests.eventually import eventually
from tests.provisioning.site import Site, site


def shown(overview: Overview, now: float) -> list[list[str]]:
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(table(overview, now))
    return [line.split() for line in captured.get().splitlines()]


def test_the_table_shows_each_robot_in_a_line() -> None:
    overview = Overview()
    for state in (
        DeviceState(device="robot-2", lifecycle=Lifecycle.LOST, phase="speaking"),
        DeviceState(
            device="robot-1",
            lifecycle=Lifecycle.READY,
            phase="listening",
            session="s1",
            since=10.0,
            on_air=True,
            muted=True,
            spent=Spent(micros=123_400),
        ),
    ):
        assert taken(overview, topics.state(state.device), encode(state)) is not None
    fault = FaultRaised(at=86_400.0, fault="up\x1b[2Jstream", text="", session=None)
    taken(overview, topics.event("robot-2"), encode(fault))
    _, first, second = shown(overview, 75.0)
    assert first == ["robot-1", "listening,", "muted", "on", "air", "1:05", "0.1234"]
    assert second == ["robot-2", "lost", "up", "[2Jstream", "(01-02", "00:00", "UTC)"]


def test_the_table_counts_down_to_an_end_that_was_announced() -> None:
    overview = Overview()
    state = DeviceState(device="robot-1", lifecycle=Lifecycle.READY, phase="speaking", session="s1", ends_at=100.0)
    taken(overview, topics.state("robot-1"), encode(state))
    assert shown(overview, 75.0)[1][1:5] == ["speaking,", "ends", "in", "0:25"]
    assert shown(overview, 101.0)[1][4] == "0:00"


def test_who_reports_as_another_is_not_shown() -> None:
    overview = Overview()
    state = DeviceState(device="robot-2", lifecycle=Lifecycle.READY)
    for payload in (encode(state), b"{"):
        with pytest.raises(MessageError):
            taken(overview, topics.state("robot-1"), payload)
    assert taken(overview, topics.state("robot-1"), b"") is None
    assert overview.robots == []


async def test_one_line_for_each_robot_and_each_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[dict[str, object]] = []

    async def printed() -> bool:
        lines.extend(json.loads(line) for line in capsys.readouterr().out.splitlines())
        return bool(lines)

    async with site(tmp_path) as here, here.board() as board:
        await board.state()
        watching = asyncio.create_task(watch(_settings(here), DEFAULT_OPERATOR, json=True))
        await eventually(printed)
        assert (lines.pop()["phase"], lines) == ("idle", [])
        await board.state("s1", phase="speaking", since=5.0, on_air=True)
        await eventually(printed)
        watching.cancel()
    assert [(line["device"], line["phase"], line["on_air"], line["began_at"]) for line in lines] == [
        ("robot-1", "speaking", True, 5.0)
    ]


def _settings(here: Site) -> CloudSettings:
    return replaced(here.settings, broker=BrokerSettings(port=here.cloud.broker.port))
