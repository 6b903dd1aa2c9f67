"""The command line: what it prints and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.__main__ import EXIT_NOT_ENROLLED, EXIT_USAGE, main


def written(folder: Path, text: str) -> str:
    path = folder / "device.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_config_prints_every_setting_and_where_it_is_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--config", written(tmp_path, "[panel]\nbutton = 5\n")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["panel.button", "=", "5", "#", "file"] for line in lines)
    assert any(line.split() == ["panel.light", "=", "24", "#", "default"] for line in lines)


def test_a_wrong_setting_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", written(tmp_path, "\n[pannel]\n")]) == EXIT_USAGE
    assert capsys.readouterr().err.splitlines() == [
        f"kaiwa-device: {tmp_path}/device.toml:2: `pannel`: unknown key; did you mean `panel`?"
    ]


def test_a_board_that_was_never_enrolled_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = written(tmp_path, f'state_dir = "{tmp_path}/state"\n')
    assert main(["run", "--config", settings]) == EXIT_NOT_ENROLLED
    assert "kaiwa-device enrol CLAIM" in capsys.readouterr().err


def test_a_claim_that_is_none_is_refused_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = written(tmp_path, f'state_dir = "{tmp_path}/state"\n')
    assert main(["enrol", "ABC", "--config", settings]) == EXIT_NOT_ENROLLED
    assert "not a claim code" in capsys.readouterr().err


def test_no_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == EXIT_USAGE
    assert "VERB" in capsys.readouterr().err
