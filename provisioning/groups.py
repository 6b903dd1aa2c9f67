"""The queries about groups: which device belongs to which, and which claim leads into which."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from provisioning.connection import Connection
from provisioning.tables import claims, devices


class Groups:
    """Groups, within one transaction; a group is there as soon as a device is in it. The empty name is no group."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, device: str) -> str:
        """Return the group of a device; empty for none, or no such device."""
        return (await self._connection.execute(_GROUP, {"device": device})).scalar() or ""

    async def members(self) -> dict[str, str]:
        """Return the group of every device, by id."""
        rows = await self._connection.execute(select(devices.c.id, devices.c.group_name).order_by(devices.c.id))
        return {row.id: row.group_name for row in rows}

    async def move(self, device: str, group: str) -> bool:
        """Put a device into a group; False when there is no such device. What it has spent stays where it was."""
        changed = await self._connection.execute(update(devices).where(devices.c.id == device).values(group_name=group))
        return changed.rowcount == 1

    async def promise(self, code_hash: str, group: str) -> None:
        """Let the device that a claim is for come into a group."""
        await self._connection.execute(update(claims).where(claims.c.code_hash == code_hash).values(group_name=group))

    async def keep_promise(self, code_hash: str, device: str) -> None:
        """Put a device into the group of the claim that it used; a claim without a group leaves it where it was."""
        found = await self._connection.execute(select(claims.c.group_name).where(claims.c.code_hash == code_hash))
        if group := found.scalar():
            await self.move(device, group)


_GROUP = select(devices.c.group_name).where(devices.c.id == bindparam("device"))
