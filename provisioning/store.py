"""The store: one database, brought to its present shape at start, used in whole transactions only."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from alembic.util import CommandError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from device.errors import StoreError
from provisioning.advisory import first_line
from provisioning.audit import Audit
from provisioning.connection import Connection
from provisioning.groups import Groups
from provisioning.halts import Halts
from provisioning.hasty import Hasty
from provisioning.history import History
from provisioning.postgresql import PostgreSQL
from provisioning.profiles.registry import Profiles
from provisioning.registry import Claims, Devices
from provisioning.sessions import Sessions
from provisioning.spending.ledger import Ledger
from provisioning.sqlite import SQLite
from provisioning.together import Crowd, Together

T = TypeVar("T")


class Transaction:
    """What can be asked and done within one transaction; all of it happens, or none."""

    def __init__(self, connection: Connection) -> None:
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
        self._database: SQLite | PostgreSQL | None = None
        self._crowd = Crowd()
        self._together: Together[Transaction] | Hasty[Transaction] | None = None

    async def __aenter__(self) -> Self:
        """Open the database and bring it to its present shape.

        Raises:
            StoreError: it cannot be opened, or is of a later version.
        """
        database = _database(self._url)
        try:
            await database.open()
        except BaseException as error:
            await database.close()
            if isinstance(error, SQLAlchemyError | CommandError | OSError | sqlite3.Error):
                raise StoreError(f"the store cannot be opened: {first_line(error)}{database.hint}") from error
            raise
        self._database = database
        if isinstance(database, SQLite):  # it has one writer, so nobody waits longer for being taken along
            self._together = Together(self._crowd, self.transaction, database.apart)
        else:
            hastily = partial(self._in, database.hastily)
            self._together = Hasty(self._crowd, self.transaction, hastily, database.disk)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._database is not None:
            await self._database.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction, committed at the end and rolled back on any error.

        Raises:
            DuplicateError: something that may exist once exists already.
            StoreError: the database is locked, full or gone.
        """
        if self._database is None:
            raise StoreError("the store is not open")
        async with self._in(self._database.transaction) as t:
            yield t

    @asynccontextmanager
    async def _in(self, begin: Callable[[], AbstractAsyncContextManager[Connection]]) -> AsyncIterator[Transaction]:
        try:
            async with begin() as connection:
                yield Transaction(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _translated(error) from error

    def serving(self) -> AbstractContextManager[None]:
        """Be one of the requests in hand while the context is open: in a crowd, their works wait for the disk together."""
        return self._crowd.serving()

    async def together(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Return what `work` returns in a transaction; it may share that, or the wait for the disk, with others.

        It happens as a whole or not at all, as in one of its own, and is as lasting when this returns.

        Raises:
            DuplicateError, StoreError: as for one of its own.
        """
        if self._together is None:
            raise StoreError("the store is not open")
        try:
            return await self._together.do(work)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise _translated(error) from error


class DuplicateError(StoreError):
    """Something that may exist once exists already."""


def _translated(error: Exception) -> StoreError:
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return DuplicateError(f"exists already: {first_line(error)}")
    return StoreError(f"the store does not answer: {first_line(error)}")


def _database(url: str) -> SQLite | PostgreSQL:
    try:
        made = make_url(url)
        return SQLite(made) if made.get_backend_name() == "sqlite" else PostgreSQL(made)
    except (ArgumentError, ImportError) as error:
        raise StoreError(f"not the URL of a store: {first_line(error)}") from None
