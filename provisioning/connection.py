"""What the queries need of a connection, whichever database it is to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
