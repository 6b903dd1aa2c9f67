"""SQLite without a change of thread for every call.

aiosqlite 0.22 hands each call of a statement (cursor, execute, fetch, close) to a thread and back, 38 times for a grant,
which cost more than all the statements. Within a transaction that has begun, a statement waits for nobody and takes
microseconds: it is executed where it is asked for. What may wait stays in the thread: BEGIN for another process's lock,
COMMIT for the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import aiosqlite

_CURSOR: Final = frozenset({"fetchone", "fetchmany", "fetchall"})
_STATEMENTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")

CHUNK: Final = 64
"""Rows that are fetched at once where rows are streamed, aiosqlite's own number."""


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that executes at once what waits for nobody."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        held = self._connection
        if self._running and held is not None and held.in_transaction and _quick(fn, args):
            return fn(*args, **kwargs)
        elsewhere: Callable[..., Awaitable[Any]] = super()._execute
        return await elsewhere(fn, *args, **kwargs)


def connect(database: str, **options: Any) -> Connection:
    """Return a connection to be awaited; `options` are those of `sqlite3.connect`."""
    connection = Connection(partial(sqlite3.connect, database, **options | {"check_same_thread": False}), CHUNK)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with those that it makes itself
    return connection


def _quick(call: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    owner, name = getattr(call, "__self__", None), getattr(call, "__name__", "")
    if isinstance(owner, sqlite3.Connection):
        return name == "cursor"
    if not isinstance(owner, sqlite3.Cursor):
        return False
    return name in _CURSOR or name == "close" or (name == "execute" and _statement(arguments))


def _statement(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments) and str(arguments[0]).lstrip()[:6].upper() in _STATEMENTS
