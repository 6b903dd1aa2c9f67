"""What the queries need of a connection, and what the store needs of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy import CursorResult, Dialect, Executable

from provisioning.prepared import Prepared

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""What goes into a statement: once, or for each of several executions."""


class Connection(Protocol):
    """A connection within one transaction."""

    @property
    def dialect(self) -> Dialect:
        """Which database this is."""

    async def execute(self, statement: Executable, parameters: Values = None) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement of SQLAlchemy's Core."""

    async def rows(self, prepared: Prepared, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute a statement that every grant needs; return its rows, each with its columns by name and by place."""

    async def each(self, prepared: Prepared, several: Sequence[Mapping[str, Any]]) -> None:
        """Execute one for each of several sets of values."""


class Database(Protocol):
    """Owner of the connections to one database; every error is one of `sqlite3`'s or SQLAlchemy's."""

    @property
    def hint(self) -> str:
        """What may help when it cannot be opened, to follow the error; empty when nobody knows."""

    async def open(self) -> None:
        """Connect, and bring the database to its present shape."""

    async def close(self) -> None:
        """Disconnect; one that was never opened may be closed, too."""

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """One transaction, committed at the end and rolled back on any error."""
