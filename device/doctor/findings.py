"""PURE. What the doctor says: a phrase in two languages with its fix, filled with the facts at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

Language = Literal["en", "ja"]
Value = str | int | float | bool


class Outcome(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Nothing was wrong, or nothing could be looked at; worth knowing either way."""
    WARNING = "warning"
    """It works, and will disappoint somebody."""
    FAILURE = "failure"
    """The robot cannot do its work like this."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing that can be found; `{name}` in its texts stands for a value."""

    code: str
    """Stable name, `check.what`, for programs that read the JSON."""
    outcome: Outcome
    en: str
    ja: str
    fix_en: str = ""
    fix_ja: str = ""

    def __call__(self, **values: Value) -> Finding:
        """Return the finding that fills this phrase with `values`."""
        return Finding(self, values)


@dataclass(frozen=True, slots=True)
class Finding:
    """A phrase that is true here."""

    phrase: Phrase
    values: Mapping[str, Value] = field(default_factory=dict)
    japanese: Mapping[str, str] = field(default_factory=dict)
    """What stands in the Japanese text in place of values that are words."""

    @property
    def check(self) -> str:
        """Which check found it."""
        return self.phrase.code.partition(".")[0]

    @property
    def outcome(self) -> Outcome:
        """How bad it is."""
        return self.phrase.outcome

    def text(self, language: Language) -> str:
        """Return what was found, in words."""
        return (
            self.phrase.ja.format_map(self._in_japanese) if language == "ja" else self.phrase.en.format_map(self.values)
        )

    def fix(self, language: Language) -> str:
        """Return what to do about it, in words; empty where nothing needs doing."""
        if language == "ja":
            return self.phrase.fix_ja.format_map(self._in_japanese)
        return self.phrase.fix_en.format_map(self.values)

    @property
    def _in_japanese(self) -> Mapping[str, Value]:
        return {**self.values, **self.japanese}


UNLOOKED: Final = Phrase(
    "doctor.unlooked",
    Outcome.FAILURE,
    "{check}: could not be looked at: {error}",
    "{check}: 調べられませんでした: {error}",
    "Mend what it names; where that is a right that is lacking, run `sudo kaiwa-device doctor`.",
    "示された点を直してください。権限がない場合は `sudo kaiwa-device doctor` を実行してください。",
)


def worst(findings: list[Finding]) -> Outcome:
    """Return the gravest outcome among `findings`; `OK` when there are none."""
    order = list(Outcome)
    return max((finding.outcome for finding in findings), key=order.index, default=Outcome.OK)
