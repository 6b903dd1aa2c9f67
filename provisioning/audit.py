"""Who did what and when: rows chained by SHA-256, written in the transaction of what they describe.

A row's hash covers the row before it, so that nothing can be altered, dropped or put in between without `broken_at`
telling where. No secret and no word of a conversation goes in here.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import astuple, dataclass, fields
from typing import Final

import msgspec
from sqlalchemy import func, insert, select

from provisioning.connection import Connection
from provisioning.prepared import Prepared
from provisioning.tables import audit

FIRST: Final = "0" * 64
"""What the first row is chained to."""

PAGE: Final = 2000
"""Rows that are read at once; reading holds SQLite's only connection, and its one lock."""

_LOCK: Final = 0x6B616977
"""The advisory lock that makes writers of the chain take turns on PostgreSQL; SQLite has one writer anyway."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; `at` in Unix seconds, `detail` JSON text."""

    seq: int
    at: float
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


def digest(seq: int, at: float, actor: str, action: str, subject: str, detail: str, previous: str) -> str:
    """Return the hash of a row with these values, 64 hex digits."""
    return hashlib.sha256(msgspec.json.encode([seq, at, actor, action, subject, detail, previous])).hexdigest()


class Chain:
    """What the next row must follow from: one whole row after the other, from the first on."""

    def __init__(self) -> None:
        self.seq, self.head = 0, FIRST

    def follows(self, entry: Entry) -> bool:
        """Take the next row; False when it does not follow from the one before, which then stays the last."""
        *values, found = astuple(entry)
        if entry.seq != self.seq + 1 or entry.previous != self.head or digest(*values) != found:
            return False
        self.seq, self.head = entry.seq, found
        return True


def broken_at(entries: Iterable[Entry]) -> int | None:
    """Return the `seq` of the first entry that does not follow from the one before, or None; they come in order."""
    chain = Chain()
    return next((entry.seq for entry in entries if not chain.follows(entry)), None)


class Audit:
    """The chain, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, at: float, actor: str, action: str, subject: str, **detail: object) -> None:
        """Append a row."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        last = await self._connection.rows(_LAST, {})
        seq, previous = (last[0].seq + 1, last[0].hash) if last else (1, FIRST)
        text = msgspec.json.encode(detail).decode()
        values = (seq, at, actor, action, subject, text, previous)
        await self._connection.rows(_ADD, dict(zip(_COLUMNS, (*values, digest(*values)), strict=True)))

    async def entries(self) -> AsyncIterator[Entry]:
        """Every row, in order."""
        seq = 0
        while page := await self.after(seq):
            for entry in page:
                yield entry
            seq = page[-1].seq

    async def after(self, seq: int) -> list[Entry]:
        """Return the rows after the one with this number, `PAGE` at most: nobody else waits for long."""
        rows = await self._connection.execute(select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(PAGE))
        return [Entry(*row) for row in rows]

    async def last(self) -> int:
        """Return the number of the last row; 0 when there is none."""
        rows = await self._connection.rows(_LAST, {})
        return int(rows[0].seq) if rows else 0


_COLUMNS = [field.name for field in fields(Entry)]
_ADD = Prepared(insert(audit), columns=_COLUMNS)
_LAST = Prepared(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
