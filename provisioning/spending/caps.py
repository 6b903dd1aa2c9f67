"""PURE. How much may be spent, by whom and until when; days and months begin at midnight, UTC. Amounts are in micros."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from device.messages.minting import Refusal
from provisioning.policy import DAY, Refuse, midnight
from provisioning.spending.prices import Tariff, told

FLEET: Final = "fleet"
"""The account on which every session counts."""

Account = str
"""On which spending is counted: `device:NAME`, `group:NAME`, or `fleet`."""


def accounts(device: str, group: str) -> tuple[Account, ...]:
    """Return the accounts that a session of a device counts on."""
    return (f"device:{device}", *([f"group:{group}"] if group else []), FLEET)


def day_of(now: float) -> str:
    """Return the day of a moment in Unix seconds, as `2026-11-26`."""
    return _day(int(now // DAY))


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * DAY, UTC).strftime("%Y-%m-%d")


def month_of(now: float) -> str:
    """Return its month, as `2026-11`."""
    return day_of(now)[:7]


def next_month(now: float) -> float:
    """Return the Unix time at which the month after that of `now` begins."""
    at = datetime.fromtimestamp(now, UTC)
    year, month = divmod(at.year * 12 + at.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that an account may spend; None for no limit."""

    day: int | None = None
    month: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What an account has spent in a period, and what sessions that go on may still spend."""

    settled: int = 0
    reserved: int = 0

    @property
    def total(self) -> int:
        """All that is not there to be spent any more."""
        return self.settled + self.reserved


@dataclass(frozen=True, slots=True)
class Caps:
    """Every limit; a group has its own or that of every group."""

    device: Cap = Cap()
    group: Cap = Cap()
    fleet: Cap = Cap()
    groups: Mapping[str, Cap] | None = None

    def of(self, account: Account) -> Cap:
        """Return the limits of an account."""
        kind, _, name = account.partition(":")
        if kind == "group":
            return (self.groups or {}).get(name, self.group)
        return self.device if kind == "device" else self.fleet


def afford(
    caps: Caps, spent: Mapping[tuple[Account, str], Spent], who: Iterable[Account], wish: int, now: float
) -> Refuse | None:
    """Return why `who` cannot spend `wish` more now, all of them together, with the time at which they can again.

    `spent` has an entry for each account and period (`day_of`, `month_of`) in which anything was spent.
    """
    refusals = [
        Refuse(Refusal.BUDGET, f"the budget of {account} for this {period}: {_of(used.total, cap, wish)}", until - now)
        for account in who
        for period, key, cap, until in _limits(caps.of(account), now)
        if (used := spent.get((account, key), Spent())).total + wish > cap
    ]
    return max(refusals, key=lambda refusal: refusal.retry_after or 0.0, default=None)


def _limits(cap: Cap, now: float) -> list[tuple[str, str, int, float]]:
    days = [] if cap.day is None else [("day", day_of(now), cap.day, midnight(now) + DAY)]
    return days + ([] if cap.month is None else [("month", month_of(now), cap.month, next_month(now))])


def _of(used: int, cap: int, wish: int) -> str:
    return f"{told(used)} of {told(cap)} are spent or reserved, and a session may cost {told(wish)}"


def settled(
    tariff: Tariff, reserved: int, seconds: float, usage: Mapping[str, int] | None, *, call_known: bool, trusted: bool
) -> int:
    """Return what a session that took `seconds` by the cloud's clock is charged: never below 0 or above `reserved`.

    Args:
        tariff: how it is billed.
        reserved: what was put aside for it, in micros.
        seconds: from its grant to its end.
        usage: what the device reported at its end; None for nothing.
        call_known: whether the cloud could hang up; where not, the call may go on.
        trusted: whether a report counts. Otherwise the time does, and a call that is not known is charged in full.
    """
    if not trusted and not call_known:
        return max(0, reserved)
    bound = max(0, min(reserved, tariff.bound(seconds)))
    said = tariff.cost(usage) if trusted and usage is not None else None
    return bound if said is None else min(bound, said + tariff.flat(seconds))
