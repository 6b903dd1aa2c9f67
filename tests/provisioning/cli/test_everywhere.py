"""What every verb has in common: JSON for programs, documented exit codes, completion in the shell."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from device import __main__ as device
from device.errors import EnrolmentError, SettingsError
from provisioning.__main__ import app, main
from provisioning.alarms import REPLACED_KEY, raise_alarm
from provisioning.cli.invocation import ExitCode
from provisioning.cli.service import _announce_json
from provisioning.local.commands import Told
from provisioning.registry import Certificate
from provisioning.roles import Place, Role
from provisioning.settings import load_settings
from provisioning.store import Store
from tests.provisioning.site import site

ROOT: Final = Path(__file__).parents[3]

WITHOUT_JSON: Final = {
    "kaiwa-cloud audit export": "prints lines of JSON, and nothing else",
    "kaiwa-device run": "goes on until it is told to end; what it tells goes over MQTT, and into the log",
    "kaiwa-device show": "what it gives is light and sound",
}


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n[enrol]\npublic_host = "cloud.example.com"\n')
    return path


def verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every verb of the cloud's command line."""
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for word, one in command.commands.items():
        yield from verbs(one, f"{name} {word}")


def without_json() -> set[str]:
    """Return the verbs of both command lines that know no --json."""
    cloud = {
        name
        for name, verb in verbs(get_command(app), "kaiwa-cloud")
        if not any("--json" in option.opts for option in verb.params)
    }
    (choices,) = [action for action in device.parser()._actions if isinstance(action, argparse._SubParsersAction)]
    board = {
        f"kaiwa-device {name}" for name, verb in choices.choices.items() if "--json" not in verb._option_string_actions
    }
    return cloud | board


def test_every_verb_speaks_json_or_there_is_a_reason() -> None:
    assert len([*verbs(get_command(app), "kaiwa-cloud")]) >= 40
    assert without_json() == WITHOUT_JSON.keys()


def test_every_verb_says_in_a_sentence_what_it_does() -> None:
    for name, verb in verbs(get_command(app), "kaiwa-cloud"):
        assert re.match(r"[A-Z][^\n]{10,}", verb.help or ""), name


@pytest.mark.parametrize(("broker", "name"), [("mosquitto", "mosquitto.conf"), ("emqx", "emqx.hocon")])
def test_a_broker_s_configuration_as_json_is_its_text_or_its_files(
    config: Path, tmp_path: Path, broker: str, name: str
) -> None:
    text = run(config, "broker-config", broker).stdout
    assert json.loads(run(config, "broker-config", broker, "--json").stdout) == {"config": text}
    folder = tmp_path / "copies"
    words = ("broker-config", broker, "--out", str(folder), "--user", "root", "--json")
    told = json.loads(run(config, *words).stdout)
    assert told["config"] == str(folder / name)
    assert sorted(told["files"]) == sorted(str(path) for path in folder.iterdir())
    assert len(told["files"]) >= 5


def test_a_card_as_json_is_its_files_and_not_its_claim(config: Path, tmp_path: Path) -> None:
    package, card = tmp_path / "kaiwa-device_0.1.0_arm64.deb", tmp_path / "boot"
    package.write_bytes(b"!<arch>\n")
    card.mkdir()
    for name in ("cmdline.txt", "config.txt", "user-data"):
        (card / name).touch()
    words = ("--device-name", "robot-1", "--out", str(card), "--deb", str(package), "--ttl", "30m")
    result = run(config, "card", *words, "--json")
    told = json.loads(result.stdout)
    assert (told["device"], told["ttl"]) == ("robot-1", 1800)
    untouched = {card / "cmdline.txt", card / "config.txt"}
    assert {Path(path) for path in told["files"]} == {path for path in card.rglob("*") if path.is_file()} - untouched
    assert (card / "kaiwa/claim").read_text() not in result.output


def test_init_names_the_root_s_key_until_it_is_kept_elsewhere(config: Path) -> None:
    first = run(config, "init", "--json")
    key = Path(json.loads(first.stdout)["root_key"])
    assert f"keep {key} elsewhere" in run(config, "init").output
    key.unlink()
    assert json.loads(run(config, "init", "--json").stdout) == json.loads(first.stdout) | {"root_key": None}
    assert "elsewhere" not in run(config, "init").output


def test_a_board_s_settings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "device.toml"
    path.write_text("[panel]\nbutton = 5\n", encoding="utf-8")
    assert device.main(["config", "--json", "--config", str(path)]) == 0
    found = {one["key"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["panel.button"] == {"key": "panel.button", "value": 5, "source": "file"}
    assert found["panel.light"]["source"] == "default"


async def test_a_board_that_enrols_says_as_json_who_it_is_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f'state_dir = "{tmp_path}/board"\n', encoding="utf-8")
    async with site(tmp_path) as here:
        claim = await here.cloud.claim(device="robot-1")
        assert await asyncio.to_thread(device.main, ["enrol", claim, "--json", "--config", str(path)]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told == {"device": "robot-1", "broker": f"127.0.0.1:{here.cloud.broker.port}"}
        _announce_json(here.cloud)
        served = json.loads(capsys.readouterr().out)
        assert served.pop("running") == "minter"
        assert served == {"enrolment": here.cloud.enrol_address, "broker": told["broker"], "page": here.cloud.web_url}


def test_a_part_that_has_started_and_what_runs_here_say_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _announce_json(Place(Role.MINT, 3))
    assert capsys.readouterr().out == '{"running":"minter-3"}\n'
    Told(json=True)(["page  http://x"], page="http://x", claim="kaiwa:x")
    assert capsys.readouterr().out == '{"page":"http://x","claim":"kaiwa:x"}\n'
    Told(json=False)(["page  http://x"], page="http://x", claim="kaiwa:x")
    assert capsys.readouterr().out == "page  http://x\n"


async def _alarmed(url: str) -> None:
    async with Store(url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", 0.0, 4e9))
        await raise_alarm(t, "robot-1", REPLACED_KEY, 86_400.0)


def test_why_something_was_done_to_a_robot_is_in_the_audit(config: Path) -> None:
    run(config, "init")
    asyncio.run(_alarmed(load_settings(config).store_url))
    done = {
        "claim_made": ("claim", "new"),
        "moved": ("move", "robot-1", "hall"),
        "acknowledged": ("acknowledge", "robot-1"),
        "revoked": ("revoke", "robot-1"),
    }
    for action, words in done.items():
        assert run(config, *words, "--why", f"for {action}").exit_code == ExitCode.OK
    assert run(config, "revoke", "robot-1", "--why", "x" * 201).exit_code == ExitCode.USAGE
    rows = map(json.loads, run(config, "audit", "export").stdout.splitlines())
    told = {row["action"]: (row["actor"], json.loads(row["detail"]).get("why")) for row in rows}
    assert {action: told[action] for action in done} == {action: ("admin", f"for {action}") for action in done}


def ended(monkeypatch: pytest.MonkeyPatch, config: Path, *words: str) -> int | str | None:
    """Return the exit code of the whole program."""
    monkeypatch.setattr(sys, "argv", ["kaiwa-cloud", "--config", str(config), *words])
    with pytest.raises(SystemExit) as over:
        main()
    return over.value.code


def test_exit_codes_are_what_the_page_says(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "install.md").read_text("utf-8").partition("### Exit codes")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (\d) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert [int(code) for code, _, _ in rows] == list(range(6))
    assert {int(code) for code, cloud, _ in rows if cloud.strip() != "-"} == set(ExitCode)
    epilogue = " ".join(device.EPILOGUE.split())
    for code, cloud, board in rows:
        assert f"{code} {cloud.strip()}" in (app.info.epilog or ""), code
        assert f"{code} {board.strip()}" in epilogue, code
    assert ended(monkeypatch, config, "init") == ExitCode.OK
    assert ended(monkeypatch, config, "revoke", "nobody") == ExitCode.ERROR
    assert ended(monkeypatch, config, "revoke") == ExitCode.USAGE
    assert ended(monkeypatch, config.parent / "none.toml", "init") == ExitCode.USAGE


def test_a_robot_s_exit_codes_are_those_of_its_errors() -> None:
    assert device._CODES[SettingsError] == 2
    assert device._CODES[EnrolmentError] == 3


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_told_how_to_complete(shell: str) -> None:
    result = CliRunner().invoke(app, [], env={"_KAIWA_CLOUD_COMPLETE": f"source_{shell}"})
    assert "kaiwa-cloud" in result.stdout
    assert "_KAIWA_CLOUD_COMPLETE" in result.stdout


def test_verbs_and_options_complete() -> None:
    def completed(typed: str) -> list[str]:
        words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)}
        result = CliRunner().invoke(app, [], env={"_KAIWA_CLOUD_COMPLETE": "complete_bash", **words})
        return result.stdout.split()

    assert completed("kaiwa-cloud bro") == ["broker-config"]
    assert completed("kaiwa-cloud claim ne") == ["new"]
    assert completed("kaiwa-cloud serve --ro") == ["--role"]
