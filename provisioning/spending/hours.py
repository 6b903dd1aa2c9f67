"""PURE. Weekly hours in a time zone, in which conversations may begin.

An hour is one of the wall clock: "09:00" is nine before and after the clocks change. One that the change skips begins as
much later; of one that happens twice the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from device.messages.minting import Refusal
from provisioning.policy import Refuse

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_LINE: Final = re.compile(r"([a-z,-]+) +(\d\d):([0-5]\d)-(\d\d):([0-5]\d)")
_WEEK: Final = 7
_MIDNIGHT: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening on some days of the week: minutes after midnight, and an end past midnight on the day after."""

    days: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hours:
    """When conversations may begin; without an opening at any time."""

    zone: ZoneInfo
    openings: tuple[Opening, ...] = ()

    def opens_in(self, now: float) -> float:
        """Return the seconds from `now` (Unix) until conversations may begin; 0 when they may."""
        if not self.openings:
            return 0.0
        spans = [*self._spans(now)]
        if any(start <= now < end for start, end in spans):
            return 0.0
        return min(start for start, end in spans if now < start < end) - now

    def _spans(self, now: float) -> Iterator[tuple[float, float]]:
        """Yield every opening from yesterday's to two weeks from now, in Unix seconds."""
        today = datetime.fromtimestamp(now, self.zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(-1, 2 * _WEEK + 1)):
            for opening in self.openings:
                if day.weekday() in opening.days:
                    yield self._at(day, opening.start), self._at(day, opening.end)

    def _at(self, day: date, minutes: int) -> float:
        days, rest = divmod(minutes, _MIDNIGHT)
        on = day + timedelta(days=days)
        return datetime(on.year, on.month, on.day, *divmod(rest, 60), tzinfo=self.zone).timestamp()


def hours(zone: str, lines: tuple[str, ...]) -> Hours:
    """Return the hours in lines such as `mon-fri 09:00-18:00`, `sat,sun 10:00-24:00` or `daily 22:00-02:00`.

    Raises:
        ValueError: not such a line, or no time zone of the IANA database.
    """
    return Hours(_zone(zone), tuple(_opening(line) for line in lines))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError(f"no time zone {name!r}; take one such as Asia/Tokyo") from None


def _opening(line: str) -> Opening:
    found = _LINE.fullmatch(line.strip().lower())
    if found is None:
        raise ValueError(f"{line!r} is not like 'mon-fri 09:00-18:00'")
    start, end = (60 * int(found[i]) + int(found[i + 1]) for i in (2, 4))
    if start >= _MIDNIGHT or end > _MIDNIGHT or start == end:
        raise ValueError(f"{line!r} has no such hours")
    return Opening(_days(found[1]), start, end if end > start else end + _MIDNIGHT)


def _days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(_WEEK))
    found = set[int]()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{part!r} is no day; they are {', '.join(DAYS)}, or daily")
        begin = DAYS.index(first)
        length = (DAYS.index(last or first) - begin) % _WEEK
        found |= {(begin + ahead) % _WEEK for ahead in range(length + 1)}
    return frozenset(found)


def closed(whose: str, when: Hours, now: float) -> Refuse | None:
    """Return why no conversation may begin now, and when it may."""
    wait = when.opens_in(now)
    if not wait:
        return None
    opening = datetime.fromtimestamp(now + wait, when.zone)
    return Refuse(Refusal.QUOTA, f"the hours of {whose} begin at {opening:%a %H:%M} ({when.zone.key})", wait)
