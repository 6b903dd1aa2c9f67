"""PURE. Who may start a session now: total, and with all it needs as arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from device.messages.minting import Refusal

DAY: Final = 86_400.0
"""Seconds from one midnight, UTC, to the next (Unix time has no leap seconds)."""


class Status(StrEnum):
    """What a device is to the cloud."""

    PENDING = "PENDING"
    """Enrolled, and never seen on the broker."""
    ACTIVE = "ACTIVE"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a device has used, as the store knows it."""

    live: int
    """Sessions that have not ended and whose time is not over."""
    today: int
    """Sessions granted since midnight, UTC, and how often one was given another call."""
    minute: int
    """Requests in the last 60 seconds, this one not counted."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a device may use."""

    session_seconds: float
    sessions_per_day: int
    requests_per_minute: int


@dataclass(frozen=True, slots=True)
class Allow:
    """Go ahead; `deadline` (Unix seconds) is when the session must have ended."""

    deadline: float


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and when (seconds from now) it may be worth asking again, if ever."""

    refusal: Refusal
    text: str
    retry_after: float | None = None


def midnight(now: float) -> float:
    """Return the Unix time of the last midnight, UTC."""
    return now - now % DAY


def decide(status: Status, valid_until: float, counts: Counts, allowance: Allowance, now: float) -> Allow | Refuse:
    """Return whether a device may start a session at `now`; its certificate is good until `valid_until` (Unix seconds)."""
    match status:
        case Status.REVOKED:
            return Refuse(Refusal.REVOKED, "this device has been revoked")
        case Status.PENDING:
            return Refuse(Refusal.DENIED, "this device was not seen in time after its enrolment; enrol it again")
        case Status.ACTIVE if now >= valid_until:
            return Refuse(Refusal.DENIED, "the certificate of this device has expired; enrol it again")
        case Status.ACTIVE:
            return _within(counts, allowance, now)


def go_on(
    status: Status, valid_until: float, counts: Counts, allowance: Allowance, deadline: float | None, now: float
) -> Allow | Refuse:
    """Return whether a session that must have ended at `deadline` may go on with another call; None: there is no such one.

    It ends no later for that, and counts as one session more of its device's day.
    """
    verdict = decide(status, valid_until, replace(counts, live=0), allowance, now)
    if isinstance(verdict, Refuse):
        return verdict
    if deadline is None or now >= deadline:
        return Refuse(Refusal.DENIED, "no session of this device goes on by this name")
    return Allow(deadline)


def _within(counts: Counts, allowance: Allowance, now: float) -> Allow | Refuse:
    if counts.minute >= allowance.requests_per_minute:
        return Refuse(Refusal.BUSY, f"{counts.minute} requests in the last minute", 60.0)
    if counts.live:
        return Refuse(Refusal.BUSY, "another session of this device has not ended", 5.0)
    if counts.today >= allowance.sessions_per_day:
        return Refuse(Refusal.QUOTA, f"{counts.today} sessions today", midnight(now) + DAY - now)
    return Allow(now + allowance.session_seconds)
