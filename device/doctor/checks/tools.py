"""PURE. Tools: whether all of them can be offered to the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

GOOD: Final = Phrase(
    "tools.good",
    Outcome.OK,
    "{count} tools of its own: {names}",
    "固有の道具が {count} 個あります: {names}",
)
NONE: Final = Phrase(
    "tools.none",
    Outcome.NOTE,
    "no tools but those that every robot has",
    "どのロボットにもある道具のほかに、道具はありません",
)
BROKEN: Final = Phrase(
    "tools.broken",
    Outcome.FAILURE,
    "the robot does not start: {error}",
    "ロボットは起動しません: {error}",
    "Mend that line as docs/tools.md says, and look with `kaiwa-device tools`.",
    "docs/tools.md のとおりにその行を直し、`kaiwa-device tools` で確かめてください。",
)


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """The names of outputs and of the functions in the folder; or why they cannot be had."""

    names: tuple[str, ...]
    error: str = ""


def check(facts: ToolFacts) -> list[Finding]:
    """Return what is to be said about the tools."""
    if facts.error:
        return [BROKEN(error=facts.error)]
    if not facts.names:
        return [NONE()]
    return [GOOD(count=len(facts.names), names=", ".join(facts.names))]
