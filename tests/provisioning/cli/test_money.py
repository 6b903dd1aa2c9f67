"""Money, groups and the halt on the command line."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from device.errors import EnrolmentError
from device.messages.minting import Refusal
from device.messages.reports import CallAnswered
from provisioning.__main__ import app
from provisioning.cli.invocation import ExitCode
from provisioning.registry import Certificate
from provisioning.sessions import Session
from provisioning.settings import load_settings
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.site import site

SETTINGS = """
state_dir = "{folder}/state"
[budget]
device_per_day = 25
fleet_per_month = 500
[[groups]]
name = "lobby"
per_day = 40
"""


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """Settings of a fleet with one robot, which has a session and has ended one."""
    path = tmp_path / "cloud.toml"
    path.write_text(SETTINGS.format(folder=tmp_path))
    await asyncio.to_thread(run, path, "init")
    now = time.time()
    async with Store(load_settings(path).store_url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", now, now + 1))
        await t.devices.enrol("", Certificate("02", "robot-2", "key 2", now, now + 1))
        await t.sessions.add(Session("over", "robot-1", "button", now, now + 60, reserved=3_000_000))
        await t.sessions.end("over", now, "done", lambda _: 1_250_000)
        await t.sessions.add(Session("live", "robot-1", "button", now, now + 60, reserved=3_000_000))
    return path


async def test_the_budget_shows_what_is_spent_put_aside_and_allowed(config: Path) -> None:
    told = json.loads((await asyncio.to_thread(run, config, "budget", "--json")).stdout)
    assert (told["currency"], told["model"], told["prices_as_of"]) == ("USD", "gpt-realtime-2.1", "2026-11-22")
    assert told["reservation_micros"] > 6_000_000
    accounts = {(each["kind"], each["name"]): each for each in told["accounts"]}
    assert [*accounts] == [("device", "robot-1"), ("device", "robot-2"), ("group", "lobby"), ("fleet", "")]
    robot = accounts["device", "robot-1"]
    assert (robot["today_micros"], robot["month_micros"], robot["reserved_micros"]) == (1_250_000, 1_250_000, 3_000_000)
    assert (robot["day_limit_micros"], robot["month_limit_micros"]) == (25_000_000, None)
    assert accounts["fleet", ""]["month_limit_micros"] == 500_000_000
    assert accounts["group", "lobby"]["day_limit_micros"] == 40_000_000
    shown = (await asyncio.to_thread(run, config, "budget")).stdout
    assert ["device", "robot-1", "1.25", "25.00", "1.25", "-", "3.00"] in [line.split() for line in shown.splitlines()]
    assert "prices of gpt-realtime-2.1 as of 2026-11-22" in shown
    with config.open("a") as file:
        file.write('[openai]\nmodel = "gpt-realtime-9"\n')
    assert "no price of gpt-realtime-9 is known" in (await asyncio.to_thread(run, config, "budget")).stdout


async def test_robots_are_moved_and_listed_by_group(config: Path) -> None:
    assert (await asyncio.to_thread(run, config, "move", "robot-1", "lobby")).stdout == "robot-1 is in lobby\n"
    listed = json.loads((await asyncio.to_thread(run, config, "devices", "--group", "lobby", "--json")).stdout)
    assert [(each["id"], each["group"], each["micros_today"]) for each in listed] == [("robot-1", "lobby", 4_250_000)]
    shown = (await asyncio.to_thread(run, config, "devices")).stdout
    assert ["robot-1", "PENDING", "lobby", "4.25"] in [line.split()[:4] for line in shown.splitlines()]
    assert (await asyncio.to_thread(run, config, "move", "robot-1", "")).stdout == "robot-1 is in no group\n"
    again = await asyncio.to_thread(run, config, "move", "robot-1", "hall", "--json")
    assert json.loads(again.stdout) == {"robot": "robot-1", "group": "hall"}
    assert isinstance((await asyncio.to_thread(run, config, "move", "robot-9", "lobby")).exception, EnrolmentError)
    assert (await asyncio.to_thread(run, config, "move", "robot-1", "No such")).exit_code == ExitCode.USAGE


async def test_the_fleet_is_halted_and_goes_on(config: Path) -> None:
    assert (await asyncio.to_thread(run, config, "halt")).exit_code == ExitCode.USAGE
    assert (await asyncio.to_thread(run, config, "halt", "--why", " ")).exit_code == ExitCode.USAGE
    halted = await asyncio.to_thread(run, config, "halt", "--why", "smoke [/x] in the hall")
    assert halted.stdout == "the fleet is halted; a running `serve` ends 1 conversation now\n"
    again = await asyncio.to_thread(run, config, "halt", "--why", "more", "--json")
    assert json.loads(again.stdout) == {"halted": True, "live": 1}
    assert (await asyncio.to_thread(run, config, "resume")).stdout == "the fleet goes on\n"
    assert json.loads((await asyncio.to_thread(run, config, "resume", "--json")).stdout)["was_halted"] is False
    async with Store(load_settings(config).store_url) as store, store.transaction() as t:
        assert [entry.action async for entry in t.audit.entries()] == ["halted", "halted", "resumed"]


async def test_a_running_cloud_puts_money_aside_and_obeys_a_halt_and_a_claim_s_group(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        path = tmp_path / "site.toml"
        path.write_text(f'state_dir = "{here.settings.state_dir}"\n')
        grant = await board.mint()
        told = json.loads((await asyncio.to_thread(run, path, "budget", "--json")).stdout)
        assert told["accounts"][-1]["reserved_micros"] == here.settings.reservation
        await board.event(CallAnswered(session=grant.session, at=1.0, call_id="rtc_9"))
        await asyncio.to_thread(run, path, "halt", "--why", "smoke")

        async def hung_up() -> list[str]:
            return here.realtime.hung_up

        assert await eventually(hung_up) == ["rtc_9"]
        answer = await board.answer()
        assert (answer.refusal, answer.text) == (Refusal.DENIED, "the fleet is halted: smoke")
        host, _, port = here.cloud.enrol_address.rpartition(":")
        path.write_text(path.read_text() + f'[enrol]\nhost = "{host}"\nport = {port}\n')
        made = await asyncio.to_thread(run, path, "claim", "new", "--device", "robot-5", "--group", "lobby")
        await here.enrolled_by(made.stdout.strip(), "robot-5")
        async with here.cloud.store.transaction() as t:
            assert await t.groups.of("robot-5") == "lobby", "a claim leads into its group"
