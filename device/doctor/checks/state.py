"""PURE. The folder of the robot's state: whether who asks may look into it, and whether the robot may use what lies there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.doctor.findings import Finding, Outcome, Phrase

TOLD: Final = 3
"""Files that are named; the others are counted."""

CLOSED: Final = Phrase(
    "state.closed",
    Outcome.FAILURE,
    "the user {user} may not look into {path}: enrolment, disk, records and cloud are not looked at",
    "ユーザー {user} は {path} の中を見られないため、登録、ディスク、記録、クラウドは調べていません",
    "It belongs to the robot alone, so this is as it should be: `sudo kaiwa-device doctor`.",
    "ロボット専用なので、これで正常です。`sudo kaiwa-device doctor` を実行してください。",
)
FOREIGN: Final = Phrase(
    "state.foreign",
    Outcome.FAILURE,
    "what lies in {path} is not all the robot's, which therefore cannot use it: {files}",
    "{path} にロボットのものでないファイルがあり、ロボットが使えません: {files}",
    "`sudo chown -R --reference={path}/. {path}/.`, then `sudo systemctl restart kaiwa-device`.",
    "`sudo chown -R --reference={path}/. {path}/.` のあと `sudo systemctl restart kaiwa-device` を実行してください。",
)


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What was seen of the folder."""

    path: str
    user: str
    """Who asks."""
    closed: bool
    """Whether this user may not read it, or not write there."""
    foreign: tuple[str, ...]
    """Names of what belongs to somebody else than the folder itself."""


def check(facts: StateFacts) -> list[Finding]:
    """Return what is to be said about the folder; nothing where nothing is wrong, for the disk's check names it."""
    if facts.closed:
        return [CLOSED(user=facts.user, path=facts.path)]
    if not facts.foreign:
        return []
    more = len(facts.foreign) - TOLD
    files = ", ".join(facts.foreign[:TOLD]) + (f" (+ {more})" if more > 0 else "")
    return [FOREIGN(path=facts.path, files=files)]
