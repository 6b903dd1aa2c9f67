"""SQLite for one process that answers many at once: one connection, on which statements are executed where they stand.

A statement takes microseconds, and a COMMIT some dozens of them, for it only hands pages to the kernel: handing them to a
thread and back takes longer. The checkpoint, which brings what the write-ahead log holds to the disk, is done in a thread, on
a connection of its own, so that nobody waits for it. Another process's transaction is waited for in the loop, so that whoever
is cancelled meanwhile, as at a shutdown, is so at once.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from provisioning.connection import Values
from provisioning.prepared import Prepared
from provisioning.schema import migrate
from provisioning.undisturbed import undisturbed

_log = logging.getLogger(__name__)

BUSY_MS: Final = 5000
"""How long another process's transaction is waited for."""

PAUSES_MS: Final = (1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100)
"""Between two looks at whether it is over, for it tells nobody; the last one again and again. They are SQLite's own
(`sqliteDefaultBusyCallback` in main.c)."""

CHECKPOINT_AFTER: Final = 100
"""Transactions; some 4 MB of log, which is SQLite's own measure."""

LOG_PAGES: Final = 20_000
"""A log of so many pages (80 MB) is emptied by whoever commits: the thread cannot do that while nobody ever pauses."""

_BEFORE: Final = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"wal_autocheckpoint={LOG_PAGES}")
"""WAL with synchronous=NORMAL never corrupts; a power cut may lose the last moments, which outlive no nonce
(sqlite.org/pragma.html#pragma_synchronous)."""


class InPlace:
    """SQLAlchemy's connection, and the driver's under it, as the queries use them: they execute at once."""

    def __init__(self, connection: sa.Connection, driver: sqlite3.Connection) -> None:
        self._connection, self._driver = connection, driver

    @property
    def dialect(self) -> sa.Dialect:
        """Which database this is."""
        return self._connection.dialect

    async def execute(self, statement: sa.Executable, parameters: Values = None) -> sa.CursorResult[*tuple[Any, ...]]:
        """Execute a statement."""
        return self._connection.execute(statement, parameters)

    async def rows(self, prepared: Prepared, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute a statement that every grant needs; return its rows."""
        return prepared.lite.rows(self._driver, values)

    async def each(self, prepared: Prepared, several: Sequence[Mapping[str, Any]]) -> None:
        """Execute one for each of several sets of values."""
        prepared.lite.each(self._driver, several)


class SQLite:
    """Owner of one SQLite file, or of one in memory, and of the thread that waits for the disk."""

    def __init__(self, url: sa.URL, busy_ms: int = BUSY_MS) -> None:
        options = {"check_same_thread": False, "isolation_level": None}  # we say BEGIN ourselves
        self._engine = sa.create_engine(
            url.set(drivername="sqlite"), poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=options
        )
        self.busy_ms = busy_ms
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._turn = asyncio.Lock()
        self._connection: sa.Connection | None = None
        self._log_keeper: sqlite3.Connection | None = None
        self._since_checkpoint = 0

    @property
    def hint(self) -> str:
        """Where there is no folder for the file yet, what makes it."""
        folder = Path(self._engine.url.database or ".").parent
        return "" if folder.is_dir() else f"; there is no {folder}: `kaiwa-cloud init` makes it"

    async def open(self) -> None:
        """Connect, and bring the database to its present shape."""
        await self._elsewhere(self._open)

    def _open(self) -> None:
        self._connection = connection = self._engine.connect()
        for pragma in (f"busy_timeout={self.busy_ms}", *_BEFORE):
            self._driver.execute(f"PRAGMA {pragma}")
        self._driver.execute("BEGIN IMMEDIATE")
        migrate(connection)
        self._driver.execute("PRAGMA busy_timeout=0")  # who waits, waits in the loop
        file = self._driver.execute("PRAGMA database_list").fetchone()[2]
        self._log_keeper = sqlite3.connect(file) if file else None

    def _opened(self) -> sa.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the database is not open")
        return self._connection

    @property
    def _driver(self) -> sqlite3.Connection:
        driver: Any = self._opened().connection.driver_connection
        return cast("sqlite3.Connection", driver)

    async def close(self) -> None:
        """Disconnect."""
        await self._elsewhere(self._close)
        self._thread.shutdown()

    def _close(self) -> None:
        keeper, self._log_keeper = self._log_keeper, None
        if keeper is not None:
            keeper.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InPlace]:
        """One transaction, committed at the end and rolled back on any error; others wait for their turn."""
        async with self._turn:
            driver = self._driver
            try:
                await self._begin()
                yield InPlace(self._opened(), driver)
                _check(driver)
                driver.commit()
                self._keep_log_short()
            finally:
                if driver.in_transaction:
                    driver.rollback()

    def _keep_log_short(self) -> None:
        self._since_checkpoint += 1
        if self._since_checkpoint == CHECKPOINT_AFTER:
            self._since_checkpoint = 0
            self._thread.submit(self._checkpoint)

    def _checkpoint(self) -> None:
        try:
            if self._log_keeper is not None:
                self._log_keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            _log.warning("the log of the store could not be brought to the disk: %s", error)

    async def _begin(self) -> None:
        pauses = _pauses(self.busy_ms)
        while True:
            try:
                self._driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                pause = next(pauses, None)
                if pause is None or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                await asyncio.sleep(pause / 1000)
            else:
                return

    async def _elsewhere(self, call: Callable[[], None]) -> None:
        """Call in the thread; nobody has the connection before that is done, whoever is cancelled."""
        await undisturbed(asyncio.get_running_loop().run_in_executor(self._thread, call))

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """A part of a transaction that may fail without the rest: then what it did is undone."""
        driver = self._driver
        _check(driver)
        driver.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if driver.in_transaction:
                driver.execute("ROLLBACK TO part")
            raise
        finally:
            if driver.in_transaction:
                driver.execute("RELEASE part")


def _pauses(most: int) -> Iterator[int]:
    """Yield pauses that take `most` milliseconds together."""
    left = most
    for pause in chain(PAUSES_MS, repeat(PAUSES_MS[-1])):
        if left <= 0:
            return
        yield min(pause, left)
        left -= pause


def _check(driver: sqlite3.Connection) -> None:
    """Notice that a full disk or the like has undone a transaction as a whole (sqlite.org/lang_transaction.html, §3)."""
    if not driver.in_transaction:
        raise sqlite3.OperationalError("the transaction was undone")
