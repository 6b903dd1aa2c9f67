"""The queries about devices, their certificates, and the claims by which boards become devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from provisioning.policy import Status
from provisioning.tables import certificates, claims, devices

ACTIVATION_SECONDS: Final = 3600.0
"""An identity that is not used within this time of its enrolment never becomes active (the rule of AWS IoT)."""

_REVOCATIONS_LOCK: Final = 0x6B617765
"""The advisory lock, on PostgreSQL, of whoever writes the list of revocations."""

CLAIM_ATTEMPTS: Final = 5
"""A claim is dead after this many requests that knew its code and could not be served."""


@dataclass(frozen=True, slots=True)
class Device:
    """A board with an identity; times in Unix seconds."""

    id: str
    status: Status
    hardware: str
    enrolled_at: float
    active_at: float | None
    revoked_at: float | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a device: serial in hex, public key in PEM, times in Unix seconds."""

    serial: str
    device: str
    public_key: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What a request of a device is judged by: `public_key` in PEM, `expires_at` of its certificate."""

    status: Status
    public_key: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as the store knows it: never the code itself."""

    device: str | None
    expires_at: float
    attempts: int
    used_at: float | None


class Devices:
    """Devices and their certificates, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def enrol(self, hardware: str, certificate: Certificate) -> bool:
        """Enter a device with its first certificate; True when it was known, and what it had is revoked now."""
        device, now = certificate.device, certificate.issued_at
        values = {"status": Status.PENDING, "hardware": hardware, "enrolled_at": now, "active_at": None}
        await self._revoke_certificates(device, now)
        again = await self._connection.execute(
            update(devices).where(devices.c.id == device).values(**values, revoked_at=None)
        )
        if not again.rowcount:
            await self._connection.execute(insert(devices).values(id=device, **values))
        await self._connection.execute(insert(certificates).values(asdict(certificate)))
        return bool(again.rowcount)

    async def _revoke_certificates(self, device: str, now: float) -> None:
        await self._connection.execute(
            update(certificates)
            .where(certificates.c.device == device, certificates.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )

    async def find(self, device: str) -> Device | None:
        """Return the device with this id."""
        row = (await self._connection.execute(select(devices).where(devices.c.id == device))).one_or_none()
        return None if row is None else _device(row)

    async def all(self) -> list[Device]:
        """Every device, by id."""
        return [_device(row) for row in await self._connection.execute(select(devices).order_by(devices.c.id))]

    async def standing(self, device: str) -> Standing | None:
        """Return how a device stands by its newest certificate; nobody else asks until this transaction ends."""
        row = (await self._connection.execute(_STANDING, {"device": device})).first()
        return None if row is None else Standing(Status(row.status), row.public_key, row.expires_at)

    async def activate(self, device: str, now: float) -> bool:
        """Note that a device was seen for the first time; True when that makes it active."""
        changed = await self._connection.execute(
            update(devices)
            .where(devices.c.id == device, devices.c.status == Status.PENDING)
            .where(devices.c.enrolled_at > now - ACTIVATION_SECONDS)
            .values(status=Status.ACTIVE, active_at=now)
        )
        return changed.rowcount == 1

    async def revoke(self, device: str, now: float) -> bool:
        """Take a device's identity away for good; False when there is none to take."""
        changed = await self._connection.execute(
            update(devices)
            .where(devices.c.id == device, devices.c.status != Status.REVOKED)
            .values(status=Status.REVOKED, revoked_at=now)
        )
        await self._revoke_certificates(device, now)
        return changed.rowcount == 1

    async def lock_revocations(self) -> None:
        """Let nobody else write the list of revocations until this transaction ends; SQLite has one writer anyway."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(_REVOCATIONS_LOCK)))

    async def revoked(self) -> Sequence[tuple[str, str, float]]:
        """Serial, device and time of every revoked certificate."""
        columns = (certificates.c.serial, certificates.c.device, certificates.c.revoked_at)
        found = await self._connection.execute(select(*columns).where(certificates.c.revoked_at.is_not(None)))
        return [(row[0], row[1], row[2]) for row in found]


class Claims:
    """Claims, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, code_hash: str, device: str | None, now: float, expires_at: float) -> None:
        """Enter a new claim."""
        await self._connection.execute(
            insert(claims).values(code_hash=code_hash, device=device, created_at=now, expires_at=expires_at, attempts=0)
        )

    async def find(self, code_hash: str) -> ClaimRow | None:
        """Return the claim with this hash."""
        columns = (claims.c.device, claims.c.expires_at, claims.c.attempts, claims.c.used_at)
        row = (await self._connection.execute(select(*columns).where(claims.c.code_hash == code_hash))).one_or_none()
        return None if row is None else ClaimRow(row.device, row.expires_at, row.attempts, row.used_at)

    async def count_attempt(self, code_hash: str) -> None:
        """Count one request that knew the code and could not be served."""
        await self._connection.execute(
            update(claims).where(claims.c.code_hash == code_hash).values(attempts=claims.c.attempts + 1)
        )

    async def use(self, code_hash: str, now: float) -> bool:
        """Use the claim up; False when somebody was faster."""
        changed = await self._connection.execute(
            update(claims).where(claims.c.code_hash == code_hash, claims.c.used_at.is_(None)).values(used_at=now)
        )
        return changed.rowcount == 1


_STANDING = (
    select(devices.c.status, certificates.c.public_key, certificates.c.expires_at)
    .join(certificates, certificates.c.device == devices.c.id)
    .where(devices.c.id == bindparam("device"))
    .order_by(certificates.c.revoked_at.is_not(None), certificates.c.issued_at.desc())
    .limit(1)
    .with_for_update(of=devices)
)


def _device(row: Row[Any]) -> Device:
    return Device(row.id, Status(row.status), row.hardware, row.enrolled_at, row.active_at, row.revoked_at)
