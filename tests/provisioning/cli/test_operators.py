"""Operators on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from device.errors import SettingsError
from provisioning.__main__ import app
from provisioning.cli.invocation import ExitCode


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), *words])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.toml"
    path.write_text(f'state_dir = "{tmp_path}/state"\n')
    return path


def test_an_operator_is_made_listed_and_taken_away_and_the_audit_knows_why(config: Path) -> None:
    made = run(config, "operator", "new", "anna", "--may", "stop, mute", "--robots", "hall,entrance", "--why", "desk")
    assert made.exit_code == ExitCode.OK, made.output
    assert made.stdout.startswith("anna may stop, mute on hall, entrance, 30 times a minute until 20")
    _, anna = json.loads(run(config, "operator", "list", "--json").stdout)
    assert (anna["name"], anna["may"], anna["robots"]) == ("anna", ["stop", "mute"], ["hall", "entrance"])
    listed = run(config, "operator", "list").stdout.splitlines()
    assert listed[1].split() == ["admin", "start,stop,use,update", "*"]
    assert listed[2].split()[:4] == ["anna", "stop,mute", "hall,entrance", "30"]
    revoked = run(config, "operator", "revoke", "anna", "--why", "left", "--json")
    assert json.loads(revoked.stdout) == {"operator": "anna", "revoked": True}
    assert len(json.loads(run(config, "operator", "list", "--json").stdout)) == 1
    rows = [json.loads(line) for line in run(config, "audit", "export").stdout.splitlines() if line.startswith("{")]
    assert [(row["actor"], row["action"], row["subject"]) for row in rows] == [
        ("admin", "operator_made", "anna"),
        ("admin", "operator_revoked", "anna"),
    ]
    assert [json.loads(row["detail"])["why"] for row in rows] == ["desk", "left"]


@pytest.mark.parametrize(
    "words",
    [
        ("anna",),
        ("anna", "--all", "--robots", "hall"),
        ("anna", "--all", "--may", ""),
        ("anna", "--all", "--may", "No Tool"),
        ("anna", "--robots", "Not a robot"),
        ("anna", "--all", "--per-minute", "0"),
        ("anna", "--all", "--days", "400"),
        ("anna", "--all", "--why", "x" * 201),
    ],
)
def test_wrong_words_make_nobody(config: Path, words: tuple[str, ...]) -> None:
    assert run(config, "operator", "new", *words).exit_code == ExitCode.USAGE
    assert not (config.parent / "state").exists()


def test_the_first_operator_stays(config: Path) -> None:
    assert isinstance(run(config, "operator", "revoke", "admin").exception, SettingsError)
