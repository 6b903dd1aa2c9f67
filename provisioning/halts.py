"""The switch that halts the whole fleet: no session is granted while it is on, and those that go on are ended."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from provisioning.connection import Connection
from provisioning.prepared import Prepared
from provisioning.tables import halts


@dataclass(frozen=True, slots=True)
class Halt:
    """Since when (Unix seconds), by whom and why the fleet is halted."""

    since: float
    operator: str
    why: str


class Halts:
    """The switch, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def current(self) -> Halt | None:
        """Return why the fleet is halted, if it is; the first of several reasons."""
        rows = await self._connection.rows(_CURRENT, {})
        return Halt(rows[0].since, rows[0].operator, rows[0].why) if rows else None

    async def halt(self, halt: Halt) -> None:
        """Turn it on, for one more reason if it is on already."""
        await self._connection.execute(
            insert(halts).values(since=halt.since, operator=halt.operator[:80], why=halt.why[:200])
        )

    async def resume(self, now: float) -> bool:
        """Turn it off, whatever the reasons were; False when it was not on."""
        lifted = await self._connection.execute(update(halts).where(halts.c.lifted_at.is_(None)).values(lifted_at=now))
        return lifted.rowcount > 0


_CURRENT = Prepared(select(halts).where(halts.c.lifted_at.is_(None)).order_by(halts.c.id).limit(1))
