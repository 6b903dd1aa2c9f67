"""PURE. The doctor's report: lines for people, JSON for programs, and the exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from device.doctor.findings import Finding, Language, Outcome, worst

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


def render(findings: list[Finding], language: Language) -> str:
    """Return the report as lines of text, the fix below each finding that has one."""
    lines = [line for finding in findings for line in _lines(finding, language)]
    counts = {"failures": _count(findings, Outcome.FAILURE), "warnings": _count(findings, Outcome.WARNING)}
    return "\n".join([*lines, _LAST[language][worst(findings)].format_map(counts)])


def _lines(finding: Finding, language: Language) -> list[str]:
    lines = [f"[{MARKS[language][finding.outcome]}] {finding.check:9} {finding.text(language)}"]
    if fix := finding.fix(language):
        lines.append(f"{'':16} → {fix}")
    return lines


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
