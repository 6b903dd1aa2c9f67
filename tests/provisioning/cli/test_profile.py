"""`kaiwa-cloud profile` from end to end."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from device.errors import KaiwaError, SettingsError
from provisioning.__main__ import app
from provisioning.registry import Certificate
from provisioning.settings import load_settings
from provisioning.store import Store

HOURS = "We open at nine.\n"
EXHIBITS = "The owl is in the tower. " * 500
PROFILE = 'language = "en"\ninstructions = "You are a guide."\nmodel = "gpt-realtime-mini"\ngreeting = "Greet."\n'


COMMAND = get_command(app)


@pytest.fixture(autouse=True)
def built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare each command line the 0.1 s in which typer builds all of them anew."""
    monkeypatch.setattr("typer.testing._get_command", lambda _: COMMAND)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cloud's state before anybody has a profile."""
    folder = tmp_path_factory.mktemp("cloud")
    (folder / "cloud.toml").write_text(f'state_dir = "{folder}/state"\n')
    assert CliRunner().invoke(app, ["--config", str(folder / "cloud.toml"), "init"]).exit_code == 0
    return folder / "state"


@pytest.fixture
def config(tmp_path: Path, state: Path) -> Path:
    shutil.copytree(state, tmp_path / "state")
    path = tmp_path / "cloud.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n')
    (tmp_path / "museum.toml").write_text(PROFILE)
    (tmp_path / "hours.txt").write_text(HOURS)
    (tmp_path / "exhibits.txt").write_text(EXHIBITS)
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), "profile", *words])


def told(config: Path, *words: str) -> Any:
    result = run(config, *words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def new(config: Path) -> Any:
    folder = config.parent
    texts = ("--text", str(folder / "hours.txt"), "--text", str(folder / "exhibits.txt"))
    return told(config, "new", "museum", "--file", str(folder / "museum.toml"), *texts, "--why", "opening")


def refusal(config: Path, *words: str) -> KaiwaError:
    result = run(config, *words)
    assert isinstance(result.exception, KaiwaError), (result.output, result.exception)
    return result.exception


def test_a_profile_is_made_shown_edited_and_its_history_kept(config: Path) -> None:
    made = new(config)
    assert (made["name"], made["version"], made["operator"], made["why"]) == ("museum", 1, "admin", "opening")
    assert [(text["title"], text["place"]) for text in made["texts"]] == [
        ("hours.txt", "instructions"),
        ("exhibits.txt", "look_up"),
    ]
    assert 0 < made["instruction_tokens"] < made["most_instruction_tokens"]
    assert 0 < made["estimate_micros"]["conversation"] < made["estimate_micros"]["put_aside"]
    assert [warning for warning in made["warnings"] if "2027-01-20" in warning]
    shown = run(config, "show", "museum")
    assert PROFILE in shown.output, "as it was written, for a file"
    for words in (
        "version 1, made by admin",
        "exhibits.txt",
        "looked up",
        "in the instructions",
        "a minute",
        "2027-01-20",
    ):
        assert words in shown.output
    assert told(config, "edit", "museum", "--drop-text", "exhibits.txt")["version"] == 2
    assert told(config, "show", "museum@1")["texts"] == made["texts"]
    assert [text["title"] for text in told(config, "show", "museum")["texts"]] == ["hours.txt"]
    assert [(each["version"], each["texts"]) for each in told(config, "show", "museum", "--history")] == [
        (1, ["exhibits.txt", "hours.txt"]),
        (2, ["hours.txt"]),
    ]
    assert "opening" in run(config, "show", "museum", "--history").output
    assert "nothing has changed" in run(config, "edit", "museum", "--file", str(config.parent / "museum.toml")).output
    longer = told(config, "show", "museum", "--minutes", "6")["estimate_micros"]["conversation"]
    assert longer > told(config, "show", "museum")["estimate_micros"]["conversation"]


def test_a_mistake_in_a_file_is_told_with_its_line_and_makes_no_version(config: Path) -> None:
    file = config.parent / "museum.toml"
    file.write_text('language = "en"\nvoise = "marin"\n')
    found = refusal(config, "new", "museum", "--file", str(file))
    assert str(found) == f"{file}:2: `voise`: unknown key; did you mean `voice`?"
    assert told(config, "list")["profiles"] == []
    assert "cannot be read" in str(refusal(config, "new", "museum", "--file", "nowhere.toml"))
    file.write_text(PROFILE)
    assert "not UTF-8" in str(refusal(config, "new", "museum", "--file", str(file), "--text", "/bin/true"))
    assert "no operator" in str(refusal(config, "new", "museum", "--file", str(file), "--operator", "nobody"))
    assert "there is no profile 'zoo'" in str(refusal(config, "show", "zoo"))
    new(config)
    assert "exists already" in str(refusal(config, "new", "museum", "--file", str(file)))
    assert "no text 'menu'" in str(refusal(config, "edit", "museum", "--drop-text", "menu"))


def test_what_no_budget_allows_and_what_is_cut_short_is_warned_of(config: Path) -> None:
    with config.open("a") as file:
        file.write("[limits]\nsession_seconds = 60\n[budget]\ndevice_per_day = 1\n")
        file.write("[[prices.models]]\nmodel = 'dear'\nas_of = 2026-11-26\n")
        rates = ("audio_in", "cached_audio_in", "audio_out", "text_in", "cached_text_in", "text_out")
        file.writelines(f"{rate} = 900\n" for rate in rates)
    (config.parent / "museum.toml").write_text('model = "dear"\nsession_seconds = 600\n')
    warned = told(config, "new", "museum", "--file", str(config.parent / "museum.toml"))["warnings"]
    assert [warning.partition(":")[0][:40] for warning in warned] == [
        "session_seconds is more than the setting",
        "limit_warning is never said",
        "the budget of a robot is less than the 6",
    ]


def editor(config: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config.parent / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(path))
    monkeypatch.delenv("VISUAL", raising=False)


def test_an_editor_opens_on_a_filled_in_profile_and_on_the_last_version(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(config, 'echo \'voice = "cedar"\' >> "$1.new"; cat "$1" >> "$1.new"; mv "$1.new" "$1"', monkeypatch)
    made = told(config, "new", "museum", "--language", "ja")
    assert (made["profile"]["voice"], made["profile"]["language"]) == ("cedar", "ja")
    assert made["toml"].count("\n#session_seconds") == 1
    editor(config, "sed -i s/cedar/coral/ $1", monkeypatch)
    assert told(config, "edit", "museum")["profile"]["voice"] == "coral"
    editor(config, "true", monkeypatch)
    assert "nothing has changed" in run(config, "edit", "museum").output


def test_what_was_typed_is_not_lost_when_it_cannot_be_used(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(config, "echo 'speed = 9' > $1", monkeypatch)
    result = run(config, "new", "museum")
    assert isinstance(result.exception, SettingsError)
    kept = Path(result.exception.path)
    assert kept.read_text() == "speed = 9\n"
    assert f"{kept}:1: `speed`" in result.output.replace("\n", "")
    kept.unlink()
    monkeypatch.delenv("EDITOR")
    assert "is not set" in str(refusal(config, "new", "museum"))


async def enrolled(config: Path) -> None:
    now = time.time()
    async with Store(load_settings(config).store_url) as store, store.transaction() as t:
        await t.devices.enrol("", Certificate("01", "robot-1", "key", now, now + 1))


def test_a_profile_is_given_to_robots_and_groups_and_taken_from_them(config: Path) -> None:
    new(config)
    asyncio.run(enrolled(config))
    assert run(config, "assign", "museum@1", "--device", "robot-1").exit_code == 0
    assert told(config, "assign", "museum", "--group", "lobby", "--why", "spring")["version"] is None
    listed = told(config, "list")
    assert [(each["target"], each["version"]) for each in listed["assignments"]] == [
        ("device:robot-1", 1),
        ("group:lobby", None),
    ]
    empty = run(config, "assign", "museum", "--group", "lobby")
    assert (empty.exit_code, "no robot is in this group yet" in empty.stderr) == (0, True)
    assert run(config, "assign", "museum", "--group", "No Such").exit_code == 2
    assert "robot-1 (version 1), group lobby" in run(config, "list").output
    assert [warning.split()[0] for warning in listed["warnings"]] == ["museum@1:"]
    assert "[openai]" in run(config, "list").output
    assert told(config, "unassign", "--device", "robot-1")["profile"] is None
    assert "no operator" in str(refusal(config, "unassign", "--group", "lobby", "--operator", "nobody"))
    assert len(told(config, "list")["assignments"]) == 1
    assert run(config, "assign", "museum").exit_code == 2
    assert run(config, "assign", "museum@new", "--group", "lobby").exit_code == 2
    assert "no robot" in str(refusal(config, "assign", "museum", "--device", "robot-2"))


def test_a_profile_is_spoken_to_line_by_line_and_shows_what_it_costs(config: Path) -> None:
    (config.parent / "museum.toml").write_text(f'{PROFILE}hidden_words = ["tower"]\n')
    new(config)
    words = ["--config", str(config), "profile", "test", "museum", "--stand-in"]
    shown = CliRunner().invoke(app, words, input="What is your name?\nLook up owl\n\nNot said any more.\n")
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert "Hello! I am listening." in shown.stdout
    assert "My name is Kaiwa." in shown.stdout
    assert "exhibits.txt: The owl is in the ●●●●●." in shown.stdout
    assert shown.stderr.count("see hidden_words") == 1
    assert "looked up: owl" in shown.stderr
    assert shown.stderr.count("so far") == 3
    exported = CliRunner().invoke(app, ["--config", str(config), "audit", "export"]).output
    assert "profile_tested" in exported
    assert "What is your name" not in exported
