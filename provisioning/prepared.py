"""Statements that every grant needs, made once: SQLAlchemy takes several times longer over one than SQLite does.

They hold text, numbers and nothing else, so that what SQLite's own driver takes and gives needs no conversion.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, UpdateBase
from sqlalchemy.dialects import sqlite

Statement = Select[*tuple[Any, ...]] | UpdateBase

Values = Mapping[str, Any]
"""What goes into a statement, by name."""


class Prepared:
    """One statement for both databases, or first SQLite's and then PostgreSQL's; an INSERT gives values for `columns`."""

    def __init__(self, *statements: Statement, columns: Sequence[str] | None = None) -> None:
        self._lite, self.other = statements[0], statements[-1]
        self._columns = columns

    @cached_property
    def lite(self) -> Lite:
        """What SQLite's driver takes."""
        compiled = self._lite.compile(dialect=_DIALECT, column_keys=self._columns)
        return Lite(str(compiled), compiled.positiontup or (), compiled.params)


class Lite:
    """A statement as text; values stand in it in the order of `names`, and those that are always the same in `fixed`."""

    def __init__(self, text: str, names: Sequence[str], fixed: Values) -> None:
        self._text, self._names = text, tuple(names)
        self._fixed = {name: value for name, value in fixed.items() if value is not None}
        self._row: Any = None

    def rows(self, driver: sqlite3.Connection, values: Values) -> list[Any]:
        """Execute it; return its rows, each with its columns by name and by place."""
        cursor = driver.execute(self._text, self._placed(values))
        found = cursor.fetchall()
        if found and self._row is None:
            self._row = _row([column[0] for column in cursor.description])
        return [*map(self._row, found)] if found else []

    def each(self, driver: sqlite3.Connection, several: Sequence[Values]) -> None:
        """Execute it for each of several sets of values."""
        driver.executemany(self._text, [self._placed(values) for values in several])

    def _placed(self, values: Values) -> tuple[Any, ...]:
        given = {**self._fixed, **values}
        return tuple([given[name] for name in self._names])


def _row(columns: Sequence[str]) -> Any:
    """Return what makes a row of what the driver gives."""
    named: Any = NamedTuple
    return named("Row", [(column, Any) for column in columns])._make


_DIALECT: Final = sqlite.dialect(paramstyle="qmark")
