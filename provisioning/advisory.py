"""An advisory lock of PostgreSQL: it belongs to a connection, and falls with whoever holds that."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Executable, func, literal, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from device.errors import StoreError

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often whoever holds a lock looks whether it is still theirs."""

LOOKS: Final = 3
"""Looks at which another has it before that is believed: the end of a lost connection may take the store a moment."""

_HELD: Final = text("""
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
            AND classid = CAST(:high AS oid) AND objid = CAST(:low AS oid)
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
""")
"""Whether a lock is held: by the two halves of its number (postgresql.org, "pg_locks", on keys that are one bigint)."""


class AdvisoryLock:
    """One lock, by its 64-bit number, and the connection that holds it; its errors are SQLAlchemy's."""

    def __init__(self, url: str, number: int) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._number = number
        self._connection: AsyncConnection | None = None
        self._mine = False  # for all that is known
        self._turn = asyncio.Lock()

    async def take(self) -> bool:
        """Take it; False when another process has it."""
        async with self._turn:
            return await self._try()

    async def is_free(self, number: int) -> bool:
        """Tell whether nobody holds the lock of another number.

        It is only looked at: its owner may be about to take it again, and must not find it taken.
        """
        async with self._turn:
            if not self._mine:
                await self._try()
            halves = {"high": number >> 32 & 0xFFFFFFFF, "low": number & 0xFFFFFFFF}
            return not await self._ask(_HELD.bindparams(**halves))

    async def _try(self) -> bool:
        self._mine = bool(await self._ask(select(func.pg_try_advisory_lock(self._number))))
        return self._mine

    async def _ask(self, what: Executable) -> Any:
        if self._connection is None:
            self._connection = await self._engine.connect()
        return (await self._connection.execute(what)).scalar_one()

    async def keep(self, every: float = LOOK_SECONDS) -> None:
        """Look after it, for ever; with the connection it is lost, and is taken again as soon as the store answers.

        Raises:
            StoreError: another process was faster.
        """
        refused = 0
        while True:
            await asyncio.sleep(every)
            try:
                refused = 0 if await self._kept() else refused + 1
                if refused == LOOKS:
                    raise StoreError("another process has taken this one's place meanwhile")
            except SQLAlchemyError as error:
                _log.warning("the store does not answer: %s", error)
                await self._let_go()

    async def _kept(self) -> bool:
        async with self._turn:
            if self._mine:
                return bool(await self._ask(select(literal(1))))
            return await self._try()

    async def _let_go(self) -> None:
        async with self._turn:
            connection, self._connection, self._mine = self._connection, None, False
            with suppress(SQLAlchemyError):
                if connection is not None:
                    await connection.close()

    async def close(self) -> None:
        """Give it back, as far as the store still hears of it."""
        await self._let_go()
        await self._engine.dispose()


def first_line(error: BaseException) -> str:
    """Return what a database says for itself: SQLAlchemy adds lines with the statement."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
