from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from device.__main__ import EXIT_USAGE, main
from device.audio.echo import EchoMode
from device.calibrate import command
from device.calibrate.keep import check, keep, with_mode
from device.errors import SettingsError

NOTE = "2026-11-23: delay 66 ms"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[echo]\nmode = "aec3" # calibrated 2026-11-23: delay 66 ms\n'),
        ("# mine\n[panel]\nbutton = 5 # left\n", None),
        ('[echo] # how\nmode = "none"\n', '[echo] # how\nmode = "aec3" # calibrated 2026-11-23: delay 66 ms\n'),
        ('[echo]\nmode = "none"  # because\n', '[echo]\nmode = "aec3" # because\n'),
        ('[echo]\nmode = "none" # calibrated 2020\n', '[echo]\nmode = "aec3" # calibrated 2026-11-23: delay 66 ms\n'),
    ],
)
def test_only_the_mode_changes(before: str, after: str | None) -> None:
    changed = with_mode(before, EchoMode.AEC3, NOTE)
    if after is None:
        assert changed.startswith(before)
    else:
        assert changed == after
    assert tomllib.loads(changed) == tomllib.loads(before) | {"echo": {"mode": "aec3"}}


def test_the_file_is_replaced_as_a_whole_and_stays_as_open_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    path.write_text("# of the kitchen\n")
    path.chmod(0o644)
    keep(path, EchoMode.HALF_DUPLEX, NOTE)
    assert path.read_text().startswith("# of the kitchen\n")
    assert 'mode = "half-duplex"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["echo = 3\n", "echo = { mode = 'none' }\n", "[echo\n", "[panel]\nbutton = 99\n"])
def test_a_file_that_is_not_understood_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(text)
    with pytest.raises(SettingsError):
        keep(path, EchoMode.AEC3, NOTE)
    with pytest.raises(SettingsError):
        check(path)
    assert path.read_text() == text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be changed: No such file"):
        keep(tmp_path / "none.toml", EchoMode.AEC3, NOTE)
    with pytest.raises(SettingsError, match="cannot be changed: No such file"):
        check(tmp_path / "none.toml")


def test_a_link_to_the_settings_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept.toml").touch()
    link = tmp_path / "device.toml"
    link.symlink_to("kept.toml")
    keep(link, EchoMode.NONE, NOTE)
    assert link.is_symlink()
    assert "none" in (tmp_path / "kept.toml").read_text()


def test_who_may_not_write_hears_so_before_anything_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "device.toml"
    path.write_text(f'state_dir = "{tmp_path}"\n')
    check(path)
    assert path.read_text() == f'state_dir = "{tmp_path}"\n'
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(command, "perform", lambda *_: pytest.fail("it plays"))
    assert main(["calibrate", "--write", "--config", str(path)]) == EXIT_USAGE
