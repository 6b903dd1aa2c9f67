"""PostgreSQL for several processes: a pool of connections, each transaction on one of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from provisioning.schema import migrate

CONNECTIONS: Final = 5
"""Of one process; all are kept, for a new one takes PostgreSQL longer than many transactions."""


class PostgreSQL:
    """Owner of the pool."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0)

    async def open(self) -> None:
        """Connect, and bring the database to its present shape."""
        async with self._engine.connect() as connection:
            await connection.run_sync(migrate)

    async def close(self) -> None:
        """Disconnect."""
        await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end and rolled back on any error."""
        async with self._engine.begin() as connection:
            yield connection
