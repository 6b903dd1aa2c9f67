"""The command line: what it prints and how it ends."""

from __future__ import annotations

import io
import json
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


def test_a_claim_can_be_read_from_where_no_process_list_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = written(tmp_path, f'state_dir = "{tmp_path}/state"\n')
    monkeypatch.setattr("sys.stdin", io.StringIO(f"kaiwa:127.0.0.1:9/{'0' * 20}#{'0' * 64}\n"))
    assert main(["enrol", "-", "--config", settings]) == EXIT_NOT_ENROLLED
    assert "https://127.0.0.1:9/v1/ca.pem" in capsys.readouterr().err


def test_no_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == EXIT_USAGE
    assert "VERB" in capsys.readouterr().err


BELL = """
from device.tools import tool


@tool
def ring(times: int = 1) -> str:
    \"""Ring the bell.

    Args:
        times: how often.
    \"""
    return "ding " * times
"""


@pytest.fixture
def tools(tmp_path: Path) -> str:
    (tmp_path / "bell.py").write_text(BELL, encoding="utf-8")
    output = '[[tools.outputs]]\nname = "lamp"\npin = 17\ndescription = "A lamp."\n'
    return written(tmp_path, f'[panel]\nfactory = "mock"\n[tools]\nfolder = "{tmp_path}"\n{output}')


def test_tools_shows_what_the_model_is_told(tools: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tools", "--config", tools]) == 0
    shown = capsys.readouterr().out
    assert "ring  (the model, 5 s)\n    Ring the bell.\n    - times: integer, may be left out  how often.\n" in shown
    assert "hush  (operators only, 1 s)" in shown
    assert "lamp  (the model, 1 s)" in shown
    assert main(["tools", "--json", "--config", tools]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1])["parameters"]["properties"] == {
        "times": {"type": "integer", "description": "how often."}
    }


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["ring", '{"times": 2}'], 0, '{"ok":true,"result":"ding ding "}'),
        (["lamp", '{"on": true}'], 0, '{"ok":true}'),
        (["ring", '{"times": "often"}'], 1, '"error":"the arguments of ring do not fit'),
        (["volume"], 1, "there is no tool 'volume'; there are: lamp, ring"),
    ],
)
def test_a_tool_can_be_tried_without_a_conversation(
    tools: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    assert main(["tools", *arguments, "--config", tools]) == code
    assert told in capsys.readouterr().out


def test_a_tool_that_cannot_be_said_is_one_line_and_exit_code_2(
    tools: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bell.py").write_text(BELL.replace("times: int = 1", "times"), encoding="utf-8")
    assert main(["tools", "--config", tools]) == EXIT_USAGE
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"kaiwa-device: {tmp_path}/bell.py:5: `ring`: `times` has no type hint")
