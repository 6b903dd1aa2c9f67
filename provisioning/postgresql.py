"""PostgreSQL for several processes: a pool of connections, each transaction on one of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import inf
from typing import Any, Final

from sqlalchemy import URL, CursorResult, Dialect, Executable, NullPool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from provisioning.connection import Values
from provisioning.hasty import Shared
from provisioning.prepared import Prepared
from provisioning.schema import migrate

_HASTILY: Final = text("SET LOCAL synchronous_commit = off")

_RECORD: Final = text("SELECT pg_logical_emit_message(true, 'kaiwa', '')")
"""A transaction that changes nothing and is in the log all the same: the log is on the disk up to it when it returns, for
`synchronous_commit` is for it what the server's owner has set (postgresql.org/docs/current/wal-async-commit.html)."""

CONNECTIONS: Final = 5
"""Of one process; all are kept, for a new one takes PostgreSQL longer than many transactions."""

IDLE_SECONDS: Final = 2.0
"""After so long, the connection that waits for the disk may have been closed by somebody in between."""


class Pooled:
    """One of its connections, as the queries use it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        """Which database this is."""
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Values = None) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement."""
        return await self._connection.execute(statement, parameters)

    async def rows(self, prepared: Prepared, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute a statement that every grant needs; return its rows."""
        result = await self._connection.execute(prepared.other, values)
        return result.all() if result.returns_rows else []

    async def each(self, prepared: Prepared, several: Sequence[Mapping[str, Any]]) -> None:
        """Execute one for each of several sets of values."""
        await self._connection.execute(prepared.other, several)


class PostgreSQL:
    """Owner of the pool."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0)
        self._waiting = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        """For one connection to wait for the disk on, while others go on."""
        self._line: AsyncConnection | None = None
        self._disk: Shared | None = None
        self._tried_at = -inf
        self._opening = asyncio.Lock()

    @property
    def hint(self) -> str:
        """Nothing: PostgreSQL says itself what is wrong."""
        return ""

    async def open(self) -> None:
        """Connect, and bring the database to its present shape."""
        async with self._engine.connect() as connection:
            await connection.run_sync(migrate)

    async def close(self) -> None:
        """Disconnect."""
        await self._hang_up()
        await self._waiting.dispose()
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Pooled]:
        """One transaction, committed at the end and rolled back on any error."""
        async with self._engine.begin() as connection:
            yield Pooled(connection)

    @asynccontextmanager
    async def hastily(self) -> AsyncIterator[Pooled]:
        """One whose COMMIT does not wait for the disk: nobody may be told of it before `disk` says so."""
        async with self._engine.begin() as connection:
            await connection.execute(_HASTILY)
            yield Pooled(connection)

    async def disk(self) -> Shared:
        """Return what waits until everything is on the disk that is committed from now on.

        Its one connection is open from now until then, and so the database does not crash in between unnoticed. One that has
        not been used for a while is tried first: what was committed before would otherwise fail with it.
        """
        async with self._opening:
            now = time.monotonic()
            if self._disk is not None and now - self._tried_at > IDLE_SECONDS:
                with suppress(SQLAlchemyError):
                    await self._disk.done()
            self._tried_at = now
            if self._disk is None or self._disk.failure is not None:
                await self._hang_up()
                self._line = line = await self._waiting.connect()
                self._disk = Shared(partial(_recorded, line))
            return self._disk

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(SQLAlchemyError):
                await line.close()


async def _recorded(line: AsyncConnection) -> None:
    await line.execute(_RECORD)
