"""The store: one database, brought to its present shape at start, used in whole transactions only."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from device.errors import StoreError
from provisioning.audit import Audit
from provisioning.groups import Groups
from provisioning.halts import Halts
from provisioning.history import History
from provisioning.profiles.registry import Profiles
from provisioning.registry import Claims, Devices
from provisioning.sessions import Sessions
from provisioning.spending.ledger import Ledger
from provisioning.sqlite import connect

T = TypeVar("T")

_MIGRATION_LOCK: Final = 0x6B616D67
"""The advisory lock, on PostgreSQL, of whoever brings the store to its present shape."""


class Transaction:
    """What can be asked and done within one transaction; all of it happens, or none."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.devices = Devices(connection)
        self.claims = Claims(connection)
        self.groups = Groups(connection)
        self.ledger = Ledger(connection)
        self.sessions = Sessions(connection, self.ledger)
        self.history = History(connection)
        self.halts = Halts(connection)
        self.profiles = Profiles(connection)
        self.audit = Audit(connection)


class Store:
    """Owner of the database: `async with Store(url) as store: async with store.transaction() as t: …`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: AsyncEngine | None = None

    async def __aenter__(self) -> Self:
        """Open the database and bring it to its present shape.

        Raises:
            StoreError: it cannot be opened, or is of a later version.
        """
        self._engine = _engine(self._url)
        try:
            async with self._engine.connect() as connection:
                await connection.run_sync(_migrate)
        except BaseException as error:
            await self._engine.dispose()
            if isinstance(error, SQLAlchemyError | CommandError | OSError):
                raise StoreError(f"the store cannot be opened: {_first_line(error)}") from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._engine is not None:
            await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction, committed at the end and rolled back on any error.

        Raises:
            DuplicateError: something that may exist once exists already.
            StoreError: the database is locked, full or gone.
        """
        if self._engine is None:
            raise StoreError("the store is not open")
        try:
            async with self._engine.begin() as connection:
                yield Transaction(connection)
        except IntegrityError as error:
            raise DuplicateError(f"exists already: {_first_line(error)}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"the store does not answer: {_first_line(error)}") from error


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; who is cancelled meanwhile is so only when it is done.

    For what uses the store again and again: aiosqlite 0.22 may never finish a transaction that is cancelled in the middle
    of a statement, and the loop waits for it as it closes.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class DuplicateError(StoreError):
    """Something that may exist once exists already."""


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


_SQLITE: Final[dict[str, Any]] = {"pool_size": 1, "max_overflow": 0, "connect_args": {"async_creator_fn": connect}}
"""One connection: SQLite has one writer, and waiting in our own queue beats polling its lock."""


def _engine(url: str) -> AsyncEngine:
    try:
        sqlite = make_url(url).get_backend_name() == "sqlite"
        engine = create_async_engine(url, **(_SQLITE if sqlite else {}))
    except (ArgumentError, ImportError) as error:
        raise StoreError(f"not the URL of a store: {_first_line(error)}") from None
    if sqlite:
        _try_file(engine.url.database)
        event.listen(engine.sync_engine, "connect", _tune)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _try_file(path: str | None) -> None:
    """Open the file once: where that fails, aiosqlite 0.22 leaves a thread that complains after the loop has closed."""
    try:
        sqlite3.connect(path or ":memory:").close()
    except sqlite3.Error as error:
        raise StoreError(f"the store cannot be opened: {path}: {error}") from None


def _tune(connection: Any, _record: object) -> None:
    """Set up a new SQLite connection.

    WAL with synchronous=NORMAL never corrupts; a power cut may lose the last moments, which outlive no nonce
    (sqlite.org/pragma.html#pragma_synchronous).
    """
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":  # several processes may start at once
        connection.execute(select(func.pg_advisory_lock(_MIGRATION_LOCK)))
    command.upgrade(config, "head")
    connection.commit()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_unlock(_MIGRATION_LOCK)))
        connection.commit()
