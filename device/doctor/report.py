"""PURE. The doctor's report: lines for people, JSON for programs, and the exit code for scripts."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Language, Outcome, worst
from device.picture import kinsoku

MARKS: Final[Mapping[Language, Mapping[Outcome, str]]] = {
    "en": {Outcome.OK: " ok ", Outcome.NOTE: "note", Outcome.WARNING: "WARN", Outcome.FAILURE: "FAIL"},
    "ja": {Outcome.OK: "良好", Outcome.NOTE: "参考", Outcome.WARNING: "注意", Outcome.FAILURE: "不良"},
}
"""Four columns each."""

_LAST: Final[Mapping[Language, Mapping[Outcome, str]]] = {
    "en": {
        Outcome.OK: "Nothing is wrong.",
        Outcome.NOTE: "Nothing is wrong.",
        Outcome.WARNING: "It works; {warnings} to look at.",
        Outcome.FAILURE: "{failures} to mend, {warnings} to look at.",
    },
    "ja": {
        Outcome.OK: "問題はありません。",
        Outcome.NOTE: "問題はありません。",
        Outcome.WARNING: "動作します。注意が {warnings} 件あります。",
        Outcome.FAILURE: "不良 {failures} 件、注意 {warnings} 件です。",
    },
}


_COLOURS: Final[Mapping[Outcome, str]] = {
    Outcome.OK: "32",
    Outcome.NOTE: "36",
    Outcome.WARNING: "33",
    Outcome.FAILURE: "1;31",
}
"""SGR parameters of ECMA-48: green, cyan, yellow, bold red. The mark says the same in letters."""

_INDENT: Final = 17
_ARROW: Final = "→ "
_NARROWEST: Final = 30
"""Columns of text below which lines are left as they are."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the report is shown on."""

    width: int | None = None
    """Columns; None where lines may be of any length, as in a file or a pipe."""
    colours: bool = False


PLAIN: Final = Screen()


def render(findings: list[Finding], language: Language, screen: Screen = PLAIN) -> str:
    """Return the report as lines of text, the fix below each finding that has one."""
    lines = [line for finding in findings for line in _lines(finding, language, screen)]
    counts = {"failures": _count(findings, Outcome.FAILURE), "warnings": _count(findings, Outcome.WARNING)}
    return "\n".join([*lines, _LAST[language][worst(findings)].format_map(counts)])


def _lines(finding: Finding, language: Language, screen: Screen) -> list[str]:
    outcome = finding.outcome
    mark = _coloured(MARKS[language][outcome], _COLOURS[outcome], screen)
    lines = _below(f"[{mark}] {finding.check:9} ", finding.text(language), " " * _INDENT, screen)
    if fix := finding.fix(language):
        indent = " " * _INDENT
        lines += _below(indent + _ARROW, fix, indent + " " * len(_ARROW), screen)
    return lines


def _below(first: str, text: str, others: str, screen: Screen) -> list[str]:
    """Return `text` behind `first`, and what does not fit into the line behind `others`."""
    room = 0 if screen.width is None else screen.width - len(others)
    parts = kinsoku.lines(text, room, columns) if room >= _NARROWEST else [text]
    return [(others if number else first) + part for number, part in enumerate(parts or [""])]


def _coloured(text: str, colour: str, screen: Screen) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if screen.colours else text


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: letters of East Asian scripts take two (Unicode, UAX 11)."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _count(findings: list[Finding], outcome: Outcome) -> int:
    return sum(finding.outcome is outcome for finding in findings)


def as_json(findings: list[Finding], language: Language) -> str:
    """Return the report as one JSON object: `outcome`, and `findings` with code, outcome, text, fix and values."""
    rows = [
        {
            "check": finding.check,
            "code": finding.phrase.code,
            "outcome": finding.outcome,
            "text": finding.text(language),
            "fix": finding.fix(language),
            "values": dict(finding.values),
        }
        for finding in findings
    ]
    return json.dumps({"outcome": worst(findings), "findings": rows}, ensure_ascii=False, indent=2)


def exit_code(findings: list[Finding]) -> int:
    """Return 1 when something has failed, else 0; what only warns does not stop a script."""
    return int(worst(findings) is Outcome.FAILURE)


def language_of(environment: Mapping[str, str]) -> Language:
    """Return the language that the locale variables ask for, in the order of locale(7); English for all others."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "ja" if locale.startswith("ja") else "en"
