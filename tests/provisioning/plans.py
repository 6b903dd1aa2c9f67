"""What a database does for each statement that a store has executed: which tables it looks through, and how many rows."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, event

from provisioning.postgresql import Pooled, PostgreSQL
from provisioning.sqlite import SQLite
from provisioning.store import Store

LARGE: Final = frozenset(
    {"audit", "certificates", "claims", "devices", "nonces", "session_figures", "sessions", "spending", "turns"}
)
"""The tables that grow with the fleet, or with the time for which it has been there."""

PARTIAL: Final = frozenset({"ix_sessions_live", "ix_sessions_unreleased"})
"""Indexes that hold few rows: looking through one of them is no look through the table."""

_QUERIES: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_STEPS: Final = 20


@dataclass(frozen=True)
class Cost:
    """What one statement costs: the tables that are looked through, and the rows, or steps, that it takes."""

    statement: str
    scanned: frozenset[str]
    work: int
    """On PostgreSQL the rows that are looked at, on SQLite steps of its virtual machine."""


@dataclass
class Executed:
    """Statements with their values, each text once."""

    store: Store
    found: dict[str, Any] = field(default_factory=dict)

    def note(self, statement: str, values: Any = None) -> None:
        """Take one that is executed."""
        if statement.lstrip().startswith(_QUERIES):
            self.found.setdefault(_shape(statement) if values is None else statement, (statement, values))

    async def costs(self) -> list[Cost]:
        """Ask the database about each of them; what it does for that is undone."""
        database = self.store._database
        if isinstance(database, SQLite):
            with closing(sqlite3.connect(str(database._engine.url.database), isolation_level=None)) as driver:
                return [_of_sqlite(driver, statement) for statement, _ in self.found.values()]
        assert isinstance(database, PostgreSQL)
        async with _undone(database) as connection:
            return [await _of_postgresql(connection, *found) for found in self.found.values()]


@contextmanager
def executed(store: Store) -> Iterator[Executed]:
    """Note what a store executes while the context is open."""
    found, database = Executed(store), store._database

    def note(_connection: Connection, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        found.note(statement, values[0] if isinstance(values, list) else values)

    if isinstance(database, SQLite):
        database._driver.set_trace_callback(found.note)
        yield found
        database._driver.set_trace_callback(None)
        return
    assert isinstance(database, PostgreSQL)
    event.listen(database._engine.sync_engine, "before_cursor_execute", note)
    yield found
    event.remove(database._engine.sync_engine, "before_cursor_execute", note)


def _shape(statement: str) -> str:
    """Return a statement of SQLite's trace, which has its values in it, without them."""
    return re.sub(r"'[^']*'|\b\d[\d.e+]*", "?", statement)


def _of_sqlite(driver: sqlite3.Connection, statement: str) -> Cost:
    plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}")]
    last = statement.rstrip().endswith("ORDER BY audit.seq DESC\n LIMIT 1 OFFSET 0")
    return Cost(
        statement, frozenset() if last else frozenset(filter(None, map(_scanned, plan))), _steps(driver, statement)
    )


def _scanned(line: str) -> str:
    """Return which large table a line of a plan looks through, if any."""
    found = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line)
    return found[1] if found and found[1] in LARGE and found[2] not in PARTIAL else ""


def _steps(driver: sqlite3.Connection, statement: str) -> int:
    count = 0

    def tick() -> int:
        nonlocal count
        count += _STEPS
        return 0

    driver.execute("BEGIN")
    driver.set_progress_handler(tick, _STEPS)
    try:
        driver.execute(statement).fetchall()
    except sqlite3.IntegrityError:
        pass  # it is there already, as it was executed before
    finally:
        driver.set_progress_handler(None, _STEPS)
        driver.execute("ROLLBACK")
    return count


@asynccontextmanager
async def _undone(database: PostgreSQL) -> AsyncIterator[Pooled]:
    async with database._engine.connect() as connection:
        yield Pooled(connection)
        await connection.rollback()


async def _of_postgresql(connection: Pooled, statement: str, values: Any) -> Cost:
    measured = statement.lstrip().startswith("SELECT")
    options = "ANALYZE, FORMAT JSON" if measured else "FORMAT JSON"
    found = await connection._connection.exec_driver_sql(f"EXPLAIN ({options}) {statement}", values)
    plan = found.scalar_one()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    nodes = [*_nodes(top)]
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} & LARGE
    return Cost(statement, frozenset(scanned), sum(map(_rows, nodes)))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _rows(node: Mapping[str, Any]) -> int:
    rows = node.get("Actual Rows", 0) + sum(count for name, count in node.items() if name.startswith("Rows Removed by"))
    return int(rows * node.get("Actual Loops", 1))
