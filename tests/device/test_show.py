from __future__ import annotations

from pathlib import Path

import pytest

from device.__main__ import main
from device.panel.earcons import Earcon
from device.panel.patterns import Light


@pytest.fixture
def settings(tmp_path: Path) -> str:
    path = tmp_path / "device.toml"
    path.write_text('[panel]\nfactory = "mock"\n[sound]\ncard = "room"\n')
    return str(path)


def test_all_lights_are_shown(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--config", settings, "--seconds", "0.05"]) == 0
    assert capsys.readouterr().out.split() == [*Light]


def test_a_fault_is_seen_and_heard(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "fault", "--earcon", Earcon.ERROR, "--config", settings, "--seconds", "0.05"]) == 0
    assert capsys.readouterr().out == "fault\n"


def test_a_fault_is_seen_where_it_cannot_be_heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "device.toml"
    wav = tmp_path / "none" / "mic.wav"
    path.write_text(f'[panel]\nfactory = "mock"\n[sound]\ncard = "room"\n[sound.room]\nmicrophone_wav = "{wav}"\n')
    assert main(["show", "fault", "--earcon", "error", "--config", str(path), "--seconds", "0.05"]) == 0
    assert "cannot record" in caplog.text


def test_a_fault_of_the_settings_is_seen_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "device.toml"
    path.write_text("[panel]\nbutton = 99\n")
    assert main(["show", "fault", "--config", str(path), "--seconds", "0.05"]) == 0
    told = capsys.readouterr()
    assert told.out == "fault\n"
    assert "device.toml:2" in told.err
    assert main(["config", "--config", str(path)]) == 2
