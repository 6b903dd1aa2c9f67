"""PostgreSQL for several processes: a pool of connections, each transaction on one of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import URL, CursorResult, Dialect, Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from provisioning.connection import Values
from provisioning.prepared import Prepared
from provisioning.schema import migrate

_HASTILY: Final = text("SET LOCAL synchronous_commit = off")

_RECORD: Final = text("SELECT pg_logical_emit_message(true, 'kaiwa', '')")
"""A transaction that changes nothing and is in the log all the same: the log is on the disk up to it when it returns, for
`synchronous_commit` is for it what the server's owner has set (postgresql.org/docs/current/wal-async-commit.html)."""

CONNECTIONS: Final = 5
"""Of one process; all are kept, for a new one takes PostgreSQL longer than many transactions."""


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
        self._disk = create_async_engine(url, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT")
        """One connection to wait for the disk on, while others go on."""

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
        await self._engine.dispose()
        await self._disk.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Pooled]:
        """One transaction, committed at the end and rolled back on any error."""
        async with self._engine.begin() as connection:
            yield Pooled(connection)

    @asynccontextmanager
    async def hastily(self) -> AsyncIterator[Pooled]:
        """One whose COMMIT does not wait for the disk: nobody may be told of it before `durable`."""
        async with self._engine.begin() as connection:
            await connection.execute(_HASTILY)
            yield Pooled(connection)

    async def durable(self) -> None:
        """Return when everything that was committed so far is on the disk."""
        async with self._disk.connect() as connection:
            await connection.execute(_RECORD)
