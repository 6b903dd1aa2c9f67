"""The queries about profiles: versions, which are never changed, the texts of their places, and whom they are for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Executable, Row, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from provisioning.connection import Connection
from provisioning.prepared import Prepared
from provisioning.tables import assignments, profile_texts, profiles

_LOCK: Final = 0x6B616470
"""The advisory lock, on PostgreSQL, of whoever adds a version; it is taken before the audit's."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a profile; `created_at` in Unix seconds, `texts` by title."""

    name: str
    version: int
    text: str
    """Its TOML."""
    texts: Mapping[str, str]
    created_at: float
    operator: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """For whom a profile is: `device:NAME` or `group:NAME`; without a version, the newest there is."""

    target: str
    profile: str
    version: int | None = None


class Profiles:
    """Profiles, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, version: Version) -> bool:
        """Enter the next version of a profile; False when it is not the next, for somebody else has been faster."""
        await self._lock()
        if await self.newest(version.name) != version.version - 1:
            return False
        hashes = {title: await self._keep(text) for title, text in version.texts.items()}
        row = {
            "name": version.name,
            "version": version.version,
            "text": version.text,
            "texts": msgspec.json.encode(hashes).decode(),
            "created_at": version.created_at,
            "operator": version.operator,
            "why": version.why,
        }
        await self._connection.execute(insert(profiles).values(row))
        return True

    async def newest(self, name: str) -> int:
        """Return the number of the newest version of a profile; 0 when there is none of this name."""
        return int((await self._connection.execute(_NEWEST, {"name": name})).scalar() or 0)

    async def find(self, name: str, version: int | None = None) -> Version | None:
        """Return a version of a profile, the newest when none is named."""
        number = version if version is not None else await self.newest(name)
        row = (await self._connection.execute(_VERSION, {"name": name, "version": number})).one_or_none()
        return None if row is None else await self._whole(row)

    async def history(self, name: str) -> list[Version]:
        """Return every version of a profile, the first one first, without the texts of its place."""
        found = select(profiles).where(profiles.c.name == name).order_by(profiles.c.version)
        return [_without_texts(row) for row in await self._connection.execute(found)]

    async def all(self) -> list[Version]:
        """Return the newest version of each profile, by name, without the texts of its place."""
        newest = select(profiles.c.name, func.max(profiles.c.version).label("v")).group_by(profiles.c.name).subquery()
        same = (profiles.c.name == newest.c.name) & (profiles.c.version == newest.c.v)
        found = select(profiles).join(newest, same).order_by(profiles.c.name)
        return [_without_texts(row) for row in await self._connection.execute(found)]

    async def assign(self, wanted: Assignment) -> None:
        """Say which profile is for whom."""
        row = {"target": wanted.target, "profile": wanted.profile, "version": wanted.version}
        await self._connection.execute(_ASSIGN[self._connection.dialect.name], row)

    async def unassign(self, target: str) -> bool:
        """Leave `target` to the profile of its group or of the settings; False when it is so already."""
        gone = await self._connection.execute(delete(assignments).where(assignments.c.target == target))
        return gone.rowcount == 1

    async def assignments(self) -> list[Assignment]:
        """Return all of them, by whom they are for."""
        found = select(assignments).order_by(assignments.c.target)
        return [Assignment(row.target, row.profile, row.version) for row in await self._connection.execute(found)]

    async def of(self, device: str, group: str) -> tuple[str, int] | None:
        """Return name and version of the profile of a device: its own, that of its group, or None for the settings'."""
        mine = f"device:{device}"
        rows = await self._connection.rows(_ASSIGNED, {"mine": mine, "ours": f"group:{group}" if group else mine})
        if not rows:
            return None
        found = rows[0]
        return found.profile, found.version if found.version is not None else await self.newest(found.profile)

    async def _whole(self, row: Row[tuple[object, ...]]) -> Version:
        hashes = msgspec.json.decode(row.texts, type=dict[str, str])
        rows = await self._connection.execute(_TEXTS, {"hashes": sorted(set(hashes.values()))})
        contents = {found.hash: found.content for found in rows}
        texts = {title: contents[hashed] for title, hashed in hashes.items()}
        return Version(row.name, row.version, row.text, texts, row.created_at, row.operator, row.why)

    async def _keep(self, text: str) -> str:
        hashed = hashlib.sha256(text.encode()).hexdigest()
        await self._connection.execute(_KEEP[self._connection.dialect.name], {"hash": hashed, "content": text})
        return hashed

    async def _lock(self) -> None:
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def target_of(device: str | None, group: str | None) -> str:
    """Return whom an assignment is for."""
    return f"group:{group}" if device is None else f"device:{device}"


def _without_texts(row: Row[tuple[object, ...]]) -> Version:
    titles = dict.fromkeys(msgspec.json.decode(row.texts, type=dict[str, str]), "")
    return Version(row.name, row.version, row.text, titles, row.created_at, row.operator, row.why)


_NEWEST = select(func.max(profiles.c.version)).where(profiles.c.name == bindparam("name"))
_VERSION = select(profiles).where(profiles.c.name == bindparam("name"), profiles.c.version == bindparam("version"))
_TEXTS = select(profile_texts).where(profile_texts.c.hash.in_(bindparam("hashes", expanding=True)))
_ASSIGNED = Prepared(
    select(assignments)
    .where(assignments.c.target.in_([bindparam("mine"), bindparam("ours")]))
    .order_by(assignments.c.target)  # `device:` comes before `group:`
)


def _keeping(made: sqlite.Insert | postgresql.Insert) -> Executable:
    return made.on_conflict_do_nothing(index_elements=["hash"])


def _assigning(made: sqlite.Insert | postgresql.Insert) -> Executable:
    changed = {"profile": made.excluded.profile, "version": made.excluded.version}
    return made.on_conflict_do_update(index_elements=["target"], set_=changed)


_KEEP: Final = {
    "sqlite": _keeping(sqlite.insert(profile_texts)),
    "postgresql": _keeping(postgresql.insert(profile_texts)),
}
_ASSIGN: Final = {
    "sqlite": _assigning(sqlite.insert(assignments)),
    "postgresql": _assigning(postgresql.insert(assignments)),
}
