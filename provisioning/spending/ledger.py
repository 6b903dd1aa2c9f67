"""The queries about money: running totals for each account, changed in the transaction of the session that changes them.

A session counts on the day and in the month in which it was granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from provisioning.connection import Connection
from provisioning.prepared import Prepared
from provisioning.spending.caps import Account, Spent, accounts, day_of, month_of
from provisioning.tables import spending

_LOCK: Final = 0x6B616973
"""The advisory lock, on PostgreSQL, of whoever looks at the totals to change them. It is taken before the audit's."""


class Ledger:
    """The totals, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._locked = connection.dialect.name != "postgresql"

    async def spent(self, who: Sequence[Account], now: float) -> dict[tuple[Account, str], Spent]:
        """Return what `who` have spent on the day and in the month of `now`; nobody changes it until this transaction ends."""
        await self._lock()
        return await self.totals([day_of(now), month_of(now)], who)

    async def totals(
        self, periods: Iterable[str], who: Sequence[Account] | None = None
    ) -> dict[tuple[Account, str], Spent]:
        """Return what `who`, or all, have spent in some periods."""
        found = select(spending).where(spending.c.period.in_([*periods]))
        if who is not None:
            found = found.where(spending.c.account.in_(who))
        rows = await self._connection.execute(found)
        return {(row.account, row.period): Spent(row.settled, row.reserved) for row in rows}

    async def reserve(self, device: str, group: str, micros: int, granted_at: float) -> None:
        """Put an amount aside for a session."""
        await self._add(device, group, granted_at, settled=0, reserved=micros)

    async def settle(self, device: str, group: str, reserved: int, cost: int, granted_at: float) -> None:
        """Charge `cost` instead of what was put aside for a session."""
        await self._add(device, group, granted_at, settled=cost, reserved=-reserved)

    async def _add(self, device: str, group: str, granted_at: float, *, settled: int, reserved: int) -> None:
        if not settled and not reserved:
            return
        await self._lock()
        rows = [
            {"account": account, "period": period, "settled": settled, "reserved": reserved}
            for account in accounts(device, group)
            for period in (day_of(granted_at), month_of(granted_at))
        ]
        await self._connection.each(_ADD, rows)

    async def _lock(self) -> None:
        if not self._locked:
            await self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            self._locked = True


def _adding(made: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    """Return what adds to a total, or begins it."""
    return made.on_conflict_do_update(
        index_elements=["account", "period"],
        set_={
            "settled": spending.c.settled + made.excluded.settled,
            "reserved": spending.c.reserved + made.excluded.reserved,
        },
    )


_ADD: Final = Prepared(_adding(sqlite.insert(spending)), _adding(postgresql.insert(spending)))
