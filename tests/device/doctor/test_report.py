from __future__ import annotations

import json
import re
import sys
from typing import get_args

import pytest

from device.doctor.checks.computer import DISK, DISK_LOW, POWER_UNKNOWN
from device.doctor.checks.identity import UNUSABLE
from device.doctor.checks.network import UDP_CLOSED
from device.doctor.command import screen
from device.doctor.findings import Language, Outcome
from device.doctor.report import MARKS, PLAIN, Screen, as_json, columns, exit_code, language_of, render

GOOD = DISK(path="/", free=900.0)
NOTE = POWER_UNKNOWN(degrees="")
WARNING = DISK_LOW(path="/", free=90.0)
FAILURE = UNUSABLE(error="not enrolled")


def test_lines_in_english() -> None:
    assert render([GOOD, FAILURE], "en").splitlines() == [
        "[ ok ] disk      /: 900 MB free",
        "[FAIL] identity  not enrolled",
        "                 → Ask the operator for a claim (`kaiwa-cloud claim new`), then `kaiwa-device enrol CLAIM`.",
        "1 to mend, 0 to look at.",
    ]


def test_lines_in_japanese() -> None:
    lines = render([GOOD, WARNING], "ja").splitlines()
    assert lines[0] == "[良好] disk      /: 空き 900 MB"
    assert lines[-1] == "動作します。注意が 1 件あります。"


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("width", [60, 80, 100])
def test_on_a_terminal_no_line_is_wider_than_it_and_what_goes_on_stands_below(language: Language, width: int) -> None:
    finding = UDP_CLOSED(host="stun.cloudflare.com", port=3478, error="no answer")
    lines = render([finding, GOOD], language, Screen(width)).splitlines()
    assert max(columns(line) for line in lines) <= width
    whole = render([finding, GOOD], language).splitlines()
    assert max(columns(line) for line in whole) > width
    assert squeezed(lines) == squeezed(whole)
    arrow = next(number for number, line in enumerate(lines) if "→" in line)
    assert all(line.startswith(" " * 17) for line in lines[1:arrow])
    assert lines[arrow + 1].startswith(" " * 19)


def squeezed(lines: list[str]) -> str:
    return "".join("".join(lines).split())


def test_a_terminal_that_is_too_narrow_breaks_lines_by_itself() -> None:
    assert render([FAILURE], "en", Screen(40)) == render([FAILURE], "en")


def test_colours_say_what_the_mark_says_and_nothing_else_changes() -> None:
    findings = [GOOD, NOTE, WARNING, FAILURE]
    coloured = render(findings, "en", Screen(colours=True))
    codes = re.findall(r"\x1b\[([\d;]+)m....\x1b\[0m", coloured)
    assert len(set(codes)) == 4
    assert re.sub(r"\x1b\[[\d;]+m", "", coloured) == render(findings, "en")


@pytest.mark.parametrize(
    ("terminal", "no_color", "expected"), [(False, "", PLAIN), (True, "", Screen(72, True)), (True, "1", Screen(72))]
)
def test_the_screen_is_a_terminal_or_is_not(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, no_color: str, expected: Screen
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setenv("NO_COLOR", no_color)
    assert screen() == expected


def test_every_outcome_has_a_mark_in_every_language() -> None:
    assert all(set(marks) == set(Outcome) for marks in MARKS.values())


@pytest.mark.parametrize(
    ("findings", "code", "worst"),
    [([], 0, "ok"), ([NOTE], 0, "note"), ([GOOD, WARNING], 0, "warning"), ([FAILURE, GOOD], 1, "failure")],
)
def test_the_exit_code_tells_of_failures_only(findings: list[object], code: int, worst: str) -> None:
    assert exit_code(findings) == code  # type: ignore[arg-type]  # a list of findings
    assert json.loads(as_json(findings, "en"))["outcome"] == worst  # type: ignore[arg-type]  # likewise


def test_json_carries_the_words_and_the_values() -> None:
    (row,) = json.loads(as_json([WARNING], "ja"))["findings"]
    assert (row["check"], row["code"], row["outcome"]) == ("disk", "disk.low", "warning")
    assert row["values"] == {"path": "/", "free": 90.0}
    assert row["text"] == "/: 空きが 90 MB しかありません"
    assert row["fix"]


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LC_ALL": "C", "LANG": "ja_JP.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "ja_JP", "LANG": "C"}, "ja"),
        ({"LANG": "de_DE"}, "en"),
    ],
)
def test_the_locale_chooses_the_language(environment: dict[str, str], language: Language) -> None:
    assert language_of(environment) == language
