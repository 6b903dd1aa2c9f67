"""PURE. The records of conversations: whether any are kept, with whose consent, and how much disk they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

MEGABYTE: Final = 1_000_000

OFF: Final = Phrase(
    "record.off",
    Outcome.OK,
    "conversations are not recorded; {records} older records take {size:.0f} MB",
    "会話は記録されません。以前の記録 {records} 件 ({size:.0f} MB)",
)
ON: Final = Phrase(
    "record.on",
    Outcome.NOTE,
    "conversations are recorded, consent {consent}, for {days:g} days: {records} records take {size:.0f} MB in {path}",
    "会話を記録しています (同意: {consent}、{days:g} 日間)。{path} に {records} 件、{size:.0f} MB",
)
NO_CONSENT: Final = Phrase(
    "record.no_consent",
    Outcome.WARNING,
    "conversations should be recorded, but nobody has agreed: nothing is written",
    "記録する設定ですが、同意がないため何も書き込まれません",
    'Put up a sign and say `[record] consent = "posted"`, let the robot ask with `"asked"`, or say `keep = false`.',
    '掲示をして `[record] consent = "posted"` とするか、`"asked"` でロボットに尋ねさせるか、`keep = false` にしてください。',
)
NO_ROOM: Final = Phrase(
    "record.no_room",
    Outcome.WARNING,
    "conversations should be recorded, but cannot be: {error}",
    "記録する設定ですが、記録できません: {error}",
    "Free some room, lower `[record] most_megabytes` or `days`, or name another `folder`.",
    "空きを増やすか、`[record] most_megabytes` や `days` を減らすか、別の `folder` を指定してください。",
)


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What was seen of records."""

    path: str
    keep: bool
    consent: str
    days: float
    records: int
    size: int
    """Bytes."""
    error: str
    """Why nothing could be written or looked at; empty when it could."""


def check(facts: RecordFacts) -> list[Finding]:
    """Return what is to be said about records."""
    if facts.error:
        return [NO_ROOM(error=facts.error)]
    size = facts.size / MEGABYTE
    if facts.keep and facts.consent == "none":
        return [NO_CONSENT()]
    if not facts.keep:
        return [OFF(records=facts.records, size=size)]
    return [ON(consent=facts.consent, days=facts.days, records=facts.records, size=size, path=facts.path)]
