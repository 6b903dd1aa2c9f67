"""The command line as people use it."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
from pathlib import Path

import aiohttp
import pytest
import segno
from typer.testing import CliRunner, Result

from device.enrol import enrol
from device.errors import EnrolmentError, SettingsError, StoreError
from device.identity import Identity
from device.messages.commands import Step, Verb
from device.messages.enrolment import Claim
from device.messages.reports import CallAnswered
from provisioning.__main__ import app, main
from provisioning.alarms import REPLACED_KEY, raise_alarm
from provisioning.authority import Authority
from provisioning.cli.fleet import duration
from provisioning.cli.invocation import ExitCode
from provisioning.registry import Certificate
from provisioning.settings import load_settings
from provisioning.store import Store
from tests.eventually import eventually
from tests.provisioning.site import Board, Site, site


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n[enrol]\npublic_host = "cloud.example.com"\n')
    return path


def of(here: Site) -> Path:
    """Write the settings file of a running site, with the ports it has taken."""
    path = here.folder.parent / "site.toml"
    path.write_text(f'state_dir = "{here.settings.state_dir}"\n[broker]\nport = {here.cloud.broker.port}\n')
    return path


def test_init_makes_the_state_and_changes_nothing_later(config: Path) -> None:
    first = json.loads(run(config, "init", "--json").stdout)
    assert json.loads(run(config, "init", "--json").stdout) == first
    assert Authority.open(config.parent / "state", ("localhost",), 1.8e9).fingerprint == first["fingerprint"]
    assert "admin" in run(config, "init").stdout


def test_a_claim_is_printed_alone_for_programs_to_read(config: Path) -> None:
    result = run(config, "claim", "new", "--device", "robot-1", "--ttl", "30m")
    claim = Claim.parse(result.stdout)
    assert claim.address == "cloud.example.com:8443"
    assert json.loads(run(config, "claim", "new", "--json").stdout)["fingerprint"] == claim.fingerprint
    assert isinstance(run(config, "claim", "new", "--device", "minter").exception, EnrolmentError)
    assert run(config, "claim", "new", "--ttl", "soon").exit_code == ExitCode.USAGE


def test_in_a_terminal_a_claim_is_a_qr_code_too(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _self: True)
    shown = run(config, "claim", "new").stdout
    picture, _, claim = shown.rstrip("\n").rpartition("\n")
    expected = io.StringIO()
    segno.make(str(Claim.parse(claim)), error="l").terminal(out=expected, compact=True)
    assert picture == expected.getvalue().rstrip("\n")


def test_devices_of_an_empty_fleet(config: Path) -> None:
    early = run(config, "devices").exception
    assert isinstance(early, StoreError)
    assert "/state: `kaiwa-cloud init` makes it" in str(early)
    run(config, "init")
    assert json.loads(run(config, "devices", "--json").stdout) == []
    assert run(config, "devices").stdout.startswith("robot")
    assert isinstance(run(config, "revoke", "robot-1").exception, EnrolmentError)


def test_the_broker_s_configuration_is_printed_or_written_with_all_it_needs(config: Path, tmp_path: Path) -> None:
    printed = run(config, "broker-config", "mosquitto").stdout
    assert "require_certificate true" in printed
    folder = tmp_path / "mosquitto"
    assert run(config, "broker-config", "mosquitto", "--out", str(folder), "--user", "root").exit_code == 0
    named = [line.split()[1] for line in (folder / "mosquitto.conf").read_text().splitlines() if "file " in line]
    assert len(named) == 5
    assert all(Path(path).is_relative_to(folder) and Path(path).exists() for path in named)
    unknown = run(config, "broker-config", "mosquitto", "--out", str(folder), "--user", "nobody-such")
    assert isinstance(unknown.exception, SettingsError)


def test_emqx_s_settings_are_printed_or_written_with_all_they_need(config: Path, tmp_path: Path) -> None:
    printed = run(config, "broker-config", "emqx").stdout
    assert "fail_if_no_peer_cert = true" in printed
    folder = tmp_path / "emqx"
    assert run(config, "broker-config", "emqx", "--out", str(folder), "--user", "root").exit_code == 0
    named = re.findall(r'(?:file|path) = "([^"]*)"', (folder / "emqx.hocon").read_text())
    assert len(named) == 4
    assert all(Path(path).is_relative_to(folder) and Path(path).exists() for path in named)
    assert '{allow, {username, "operator-admin"}, publish, ["kaiwa/v1/+/cmd"]}.' in (folder / "acl").read_text()


def test_home_assistant_s_certificate_is_written_only_where_it_has_rights(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home-assistant"
    assert isinstance(run(config, "broker-config", "home-assistant", "--out", str(folder)).exception, SettingsError)
    with config.open("a") as file:
        file.write("[home_assistant]\nenabled = true\n")
    assert run(config, "broker-config", "home-assistant", "--out", str(folder)).exit_code == ExitCode.OK
    assert {path.suffix for path in folder.iterdir()} == {".pem", ".key"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    access = tmp_path / "mosquitto"
    run(config, "broker-config", "mosquitto", "--out", str(access), "--user", "root")
    assert "user minter-home-assistant\ntopic write homeassistant/#" in (access / "acl").read_text()


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h", 3600), ("7d", 604_800)])
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_wrong_settings_are_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["kaiwa-cloud", "--config", str(tmp_path / "none.toml"), "devices"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("kaiwa-cloud: ")
    assert told.err.count("\n") == 1


async def obey(board: Board, verb: Verb, *steps: tuple[Step, str]) -> None:
    command = await board.command()
    assert command.verb is verb
    assert command.issuer == "operator-admin"
    for step, reason in steps:
        await board.step(command, step, reason)


async def test_start_shows_each_step_and_tells_by_its_exit_code(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        told = asyncio.create_task(asyncio.to_thread(run, of(here), "start", "robot-1"))
        await obey(
            board, Verb.START, (Step.ACCEPTED, ""), (Step.IN_PROGRESS, "[/x] announcing\x1b[2J"), (Step.SUCCEEDED, "")
        )
        result = await told
        assert result.exit_code == ExitCode.OK
        assert result.stdout.splitlines() == ["ACCEPTED", "IN_PROGRESS [/x] announcing [2J", "SUCCEEDED"]
        told = asyncio.create_task(asyncio.to_thread(run, of(here), "start", "robot-1", "--json"))
        await obey(board, Verb.START, (Step.REJECTED, "the button was pressed"))
        result = await told
        assert result.exit_code == ExitCode.REFUSED
        assert json.loads(result.stdout)["reason"] == "the button was pressed"


async def test_use_carries_a_tool_and_its_arguments_and_shows_what_came_of_it(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.board() as board:
        told = asyncio.create_task(asyncio.to_thread(run, of(here), "use", "robot-1", "lamp", '{"on": true}'))
        command = await board.command()
        assert (command.verb, command.args) == (Verb.USE, {"tool": "lamp", "arguments": {"on": True}})
        await board.step(command, Step.ACCEPTED)
        await board.step(command, Step.SUCCEEDED, '{"ok":true}')
        result = await told
        assert result.exit_code == ExitCode.OK
        assert result.stdout.splitlines() == ["ACCEPTED", 'SUCCEEDED {"ok":true}']


async def test_short_words_are_uses_of_tools_and_carry_their_reason(tmp_path: Path) -> None:
    words: dict[tuple[str, ...], dict[str, object]] = {
        ("say", "hello"): {"text": "hello"},
        ("ask", "where is it?"): {"text": "where is it?"},
        ("volume", "40"): {"action": "set", "percent": 40},
        **{(tool,): {} for tool in ("hush", "mute", "unmute", "cut", "identify")},
    }
    async with site(tmp_path) as here, here.board() as board:
        config = of(here)
        for (tool, *more), arguments in words.items():
            told = asyncio.create_task(asyncio.to_thread(run, config, tool, "robot-1", *more, "--why", "a test"))
            command = await board.command()
            assert (command.verb, command.args) == (Verb.USE, {"tool": tool, "arguments": arguments})
            assert command.why == "a test"
            await board.step(command, Step.SUCCEEDED)
            assert (await told).exit_code == ExitCode.OK


@pytest.mark.parametrize("arguments", ["{", "[1]", "on"])
def test_arguments_that_are_no_object_are_wrong_usage(tmp_path: Path, arguments: str) -> None:
    result = run(tmp_path / "none.toml", "use", "robot-1", "lamp", arguments)
    assert result.exit_code == ExitCode.USAGE
    assert "not a JSON object" in result.output


async def test_a_robot_that_does_not_stop_is_hung_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.watch.OBEDIENCE", 0.05)
    async with site(tmp_path) as here, here.board() as board:
        grant = await board.mint()
        await board.event(CallAnswered(session=grant.session, at=1.0, call_id="rtc_9"))
        told = asyncio.create_task(asyncio.to_thread(run, of(here), "stop", "robot-1"))
        await obey(board, Verb.STOP, (Step.ACCEPTED, ""), (Step.SUCCEEDED, "or so it says"))
        assert (await told).exit_code == ExitCode.OK

        async def look() -> list[str]:
            return here.realtime.hung_up

        assert await eventually(look) == ["rtc_9"]


async def test_an_unknown_operator_or_broker_is_named(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        config = of(here)
        stranger = await asyncio.to_thread(run, config, "stop", "robot-1", "--operator", "eve")
        assert "there are: admin" in str(stranger.exception)
        config.write_text(f'state_dir = "{here.settings.state_dir}"\n[broker]\nport = 9\n')
        nobody = await asyncio.to_thread(run, config, "stop", "robot-1")
        assert "no broker at 127.0.0.1:9: " in str(nobody.exception)
        assert "does `kaiwa-cloud serve` run?" in str(nobody.exception)


async def test_claim_enrol_list_revoke(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        config = of(here)
        host, _, port = here.cloud.enrol_address.rpartition(":")
        with config.open("a") as file:
            file.write(f'[enrol]\nhost = "{host}"\nport = {port}\n')
        claim = (await asyncio.to_thread(run, config, "claim", "new", "--device", "robot-7")).stdout.strip()
        async with aiohttp.ClientSession() as http:
            await enrol(claim, tmp_path / "board", http)
        assert Identity.load(tmp_path / "board", 0.0).device == "robot-7"
        listed = await asyncio.to_thread(run, config, "devices", "--json")
        assert [(d["id"], d["status"]) for d in json.loads(listed.stdout)] == [("robot-7", "PENDING")]
        revoked = await asyncio.to_thread(run, config, "revoke", "robot-7", "--json")
        assert json.loads(revoked.stdout) == {"robot": "robot-7", "status": "REVOKED"}
        listed = await asyncio.to_thread(run, config, "devices")
        assert "REVOKED" in listed.stdout


async def test_what_a_board_calls_itself_is_shown_and_not_obeyed(config: Path) -> None:
    settings = load_settings(config)
    await asyncio.to_thread(run, config, "init")
    async with Store(settings.store_url) as store, store.transaction() as t:
        await t.devices.enrol("Pi [/bold] 5\x1b[2J", Certificate("01", "robot-1", "key", 0.0, 1.0))
    result = await asyncio.to_thread(run, config, "devices")
    assert result.exit_code == ExitCode.OK
    assert "Pi [/bold] 5 [2J" in result.stdout


async def test_an_alarm_is_shown_until_it_is_acknowledged(config: Path) -> None:
    settings = load_settings(config)
    await asyncio.to_thread(run, config, "init")
    async with Store(settings.store_url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", 0.0, 1.0))
        await raise_alarm(t, "robot-1", REPLACED_KEY, 86_400.0)
    listed = await asyncio.to_thread(run, config, "devices")
    assert listed.stdout.splitlines()[-1] == f"ALARM robot-1: {REPLACED_KEY} (1970-01-02 00:00 UTC)"
    (device,) = json.loads((await asyncio.to_thread(run, config, "devices", "--json")).stdout)
    assert (device["alarm"], device["alarmed_at"]) == (REPLACED_KEY, 86_400.0)
    noted = await asyncio.to_thread(run, config, "acknowledge", "robot-1", "--json")
    assert json.loads(noted.stdout) == {"robot": "robot-1", "alarm": None}
    assert "ALARM" not in (await asyncio.to_thread(run, config, "devices")).stdout
    again = await asyncio.to_thread(run, config, "acknowledge", "robot-1")
    assert isinstance(again.exception, EnrolmentError)
    whole = await asyncio.to_thread(run, config, "audit", "verify", "--json")
    assert json.loads(whole.stdout)["rows"] == 2
