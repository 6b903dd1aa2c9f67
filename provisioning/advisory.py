"""An advisory lock of PostgreSQL: it belongs to a connection, and falls with whoever holds that."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from device.errors import StoreError

_log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often whoever holds a lock looks whether it is still theirs."""


class AdvisoryLock:
    """One lock, by its 64-bit number, and the connection that holds it; its errors are SQLAlchemy's."""

    def __init__(self, url: str, number: int) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._number = number
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def take(self) -> bool:
        """Take it; False when another process has it."""
        async with self._turn:
            return await self._try(self._number)

    async def is_free(self, number: int) -> bool:
        """Tell whether nobody holds the lock of another number."""
        async with self._turn:
            if self._connection is None:
                await self._try(self._number)
            free = await self._try(number)
            if free:
                await self._ask(func.pg_advisory_unlock(number))
            return free

    async def _try(self, number: int) -> bool:
        return bool(await self._ask(func.pg_try_advisory_lock(number)))

    async def _ask(self, what: ColumnElement[Any]) -> Any:
        if self._connection is None:
            self._connection = await self._engine.connect()
        return (await self._connection.execute(select(what))).scalar_one()

    async def keep(self, every: float = LOOK_SECONDS) -> None:
        """Look after it, for ever; with the connection it is lost, and is taken again as soon as the store answers.

        Raises:
            StoreError: another process was faster.
        """
        while True:
            await asyncio.sleep(every)
            try:
                if not await self._kept():
                    raise StoreError("another process has taken this one's place meanwhile")
            except SQLAlchemyError as error:
                _log.warning("the store does not answer: %s", error)
                await self._let_go()

    async def _kept(self) -> bool:
        async with self._turn:
            if self._connection is None:
                return await self._try(self._number)
            return bool(await self._ask(literal(1)))

    async def _let_go(self) -> None:
        async with self._turn:
            connection, self._connection = self._connection, None
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
