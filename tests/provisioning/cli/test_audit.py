"""The audit on the command line."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from device.errors import SettingsError, StoreError
from provisioning.__main__ import app
from provisioning.audit import Entry, broken_at
from provisioning.cli.invocation import ExitCode
from provisioning.store import Store

ROWS = 10


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be read in three pages."""
    monkeypatch.setattr("provisioning.audit.PAGE", 4)


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), "audit", *words])


async def _fill(state: Path) -> None:
    async with Store(f"sqlite:///{state}/store.sqlite3") as store, store.transaction() as t:
        for number in range(ROWS):
            await t.audit.add(1.5 + number, "operator-a", "claim", f"robot-{number}", note="入口")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with some rows, and its settings."""
    folder = tmp_path_factory.mktemp("audit")
    asyncio.run(_fill(folder))
    (folder / "cloud.toml").write_text(f'state_dir = "{folder}"\n')
    return folder


@pytest.fixture
def config(filled: Path, tmp_path: Path) -> Path:
    """Settings of a store that a test may spoil."""
    source, copy = sqlite3.connect(filled / "store.sqlite3"), sqlite3.connect(tmp_path / "store.sqlite3")
    with closing(source), closing(copy):
        source.backup(copy)
    (tmp_path / "cloud.toml").write_text(f'state_dir = "{tmp_path}"\n')
    return tmp_path / "cloud.toml"


def spoil(config: Path, statement: str) -> None:
    with closing(sqlite3.connect(config.parent / "store.sqlite3")) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_whole_audit_tells_its_last_row(filled: Path) -> None:
    result = run(filled / "cloud.toml", "verify", "--json")
    assert result.exit_code == ExitCode.OK
    verdict = json.loads(result.stdout)
    assert (verdict["rows"], verdict["broken_at"]) == (ROWS, None)
    again = run(filled / "cloud.toml", "verify", "--noted", f"{ROWS}:{verdict['head']}")
    assert again.exit_code == ExitCode.OK
    assert again.stdout == f"{ROWS} rows, whole; the last is {ROWS}:{verdict['head']}\n"


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 5", 5),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 5),
    ],
)
def test_what_was_altered_or_dropped_is_named_by_row_and_exit_code(config: Path, statement: str, row: int) -> None:
    spoil(config, statement)
    result = run(config, "verify")
    assert result.exit_code == ExitCode.BROKEN
    assert result.stdout.startswith(f"row {row}: it does not follow")
    assert json.loads(run(config, "verify", "--json").stdout)["broken_at"] == row


def test_an_end_that_was_cut_off_is_seen_with_what_was_noted(config: Path) -> None:
    head = json.loads(run(config, "verify", "--json").stdout)["head"]
    spoil(config, "DELETE FROM audit WHERE seq > 8")
    assert run(config, "verify").exit_code == ExitCode.OK
    cut = run(config, "verify", "--noted", f"{ROWS}:{head}")
    assert cut.exit_code == ExitCode.BROKEN
    assert "row 9: it is missing" in cut.stdout
    rewritten = run(config, "verify", "--noted", f"3:{head}")
    assert rewritten.exit_code == ExitCode.BROKEN
    assert rewritten.stdout.startswith("row 3: it is not the one that was noted")
    assert run(config, "verify", "--noted", "soon").exit_code == ExitCode.USAGE


def test_it_is_exported_as_json_lines_that_others_can_verify(filled: Path, tmp_path: Path) -> None:
    lines = run(filled / "cloud.toml", "export").stdout.splitlines()
    entries = [Entry(**json.loads(line)) for line in lines]
    assert len(entries) == ROWS
    assert broken_at(entries) is None
    assert entries[0].detail == '{"note":"入口"}'
    path = tmp_path / "audit.jsonl"
    result = run(filled / "cloud.toml", "export", "--out", str(path), "--after", "7")
    assert result.exit_code == ExitCode.OK
    assert path.read_text(encoding="utf-8").splitlines() == lines[7:]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_read_or_written_is_named(filled: Path, tmp_path: Path) -> None:
    nowhere = run(filled / "cloud.toml", "export", "--out", "/no/such/folder/x")
    assert isinstance(nowhere.exception, SettingsError)
    (tmp_path / "cloud.toml").write_text(f'state_dir = "{tmp_path}/none"\n')
    assert isinstance(run(tmp_path / "cloud.toml", "verify").exception, StoreError)


def test_an_empty_audit_is_whole(tmp_path: Path) -> None:
    (tmp_path / "cloud.toml").write_text(f'state_dir = "{tmp_path}"\n')
    assert json.loads(run(tmp_path / "cloud.toml", "verify", "--json").stdout)["rows"] == 0
