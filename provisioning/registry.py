"""The queries about devices, their certificates, and the claims by which boards become devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, or_, select, update

from provisioning.connection import Connection
from provisioning.keyring import LISTENED, Held, Standing
from provisioning.policy import DAY, Status
from provisioning.prepared import Prepared
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
    alarmed_at: float | None = None
    alarm: str | None = None
    """Why its identity seems to be used by somebody else, too."""
    certified_until: float | None = None
    """When the last of its certificates that are in force runs out; None when there is none."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate of a device: serial in hex, public key in PEM, times in Unix seconds."""

    serial: str
    device: str
    public_key: str
    issued_at: float
    expires_at: float
    pem: str | None = None
    """The certificate itself, of one issued by renewal: it may have to be given again."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as the store knows it: never the code itself."""

    device: str | None
    expires_at: float
    attempts: int
    used_at: float | None


class Devices:
    """Devices and their certificates, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enrol(self, hardware: str, certificate: Certificate) -> bool:
        """Enter a device with its first certificate; True when it was known, and what it had is revoked now."""
        device, now = certificate.device, certificate.issued_at
        values = {"status": Status.PENDING, "hardware": hardware, "enrolled_at": now, "active_at": None}
        values |= {"revoked_at": None, "alarmed_at": None, "alarm": None}
        await self._revoke_certificates(device, now)
        again = await self._connection.execute(update(devices).where(devices.c.id == device).values(**values))
        if not again.rowcount:
            await self._connection.execute(insert(devices).values(id=device, **values))
        await self._connection.execute(insert(certificates).values(**asdict(certificate), used_at=now))
        return bool(again.rowcount)

    async def renew(self, certificate: Certificate) -> None:
        """Enter a further certificate of a device, which replaces nothing until it is used."""
        await self._connection.execute(insert(certificates).values(asdict(certificate)))

    async def use(self, device: str, serial: str, now: float) -> Sequence[str] | None:
        """Note that a certificate is in use, and retire those before; their serials, or None when it was known."""
        changed = await self._connection.execute(
            update(certificates)
            .where(certificates.c.serial == serial, certificates.c.used_at.is_(None))
            .values(used_at=now)
        )
        if not changed.rowcount:
            return None
        before = (
            (certificates.c.device == device) & (certificates.c.serial != serial) & certificates.c.revoked_at.is_(None)
        )
        serials = (await self._connection.execute(select(certificates.c.serial).where(before))).scalars().all()
        await self._connection.execute(update(certificates).where(before).values(revoked_at=now, successor=serial))
        return serials

    async def certificate_of(self, public_key: str) -> Certificate | None:
        """Return the certificate for a public key (PEM), whosever it is."""
        columns = [certificates.c[field.name] for field in fields(Certificate)]
        found = await self._connection.execute(select(*columns).where(certificates.c.public_key == public_key))
        row = found.one_or_none()
        return None if row is None else Certificate(*row)

    async def _revoke_certificates(self, device: str, now: float) -> None:
        """Take every certificate away, also those that were replaced and are still listened to."""
        mine = certificates.c.device == device
        in_force = mine & certificates.c.revoked_at.is_(None)
        await self._connection.execute(update(certificates).where(in_force).values(revoked_at=now))
        replaced = mine & certificates.c.successor.is_not(None)
        await self._connection.execute(update(certificates).where(replaced).values(successor=None))

    async def find(self, device: str) -> Device | None:
        """Return the device with this id."""
        row = (await self._connection.execute(_DEVICES.where(devices.c.id == device))).one_or_none()
        return None if row is None else _device(row)

    async def all(self) -> list[Device]:
        """Every device, by id."""
        return [_device(row) for row in await self._connection.execute(_DEVICES.order_by(devices.c.id))]

    async def standing(self, device: str) -> Standing | None:
        """Return how a device stands by its certificates; nobody else asks until this transaction ends."""
        rows = await self._connection.rows(_STANDING, {"device": device})
        if not rows:
            return None
        return Standing(Status(rows[0].status), tuple(Held(*row[2:]) for row in rows), rows[0].group_name)

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

    async def alarm(self, device: str, why: str, now: float, quiet: float) -> bool:
        """Keep an alarm with a device; False when there is no such device, or it was kept within `quiet` seconds."""
        changed = await self._connection.execute(
            update(devices)
            .where(devices.c.id == device)
            .where(or_(devices.c.alarm.is_(None), devices.c.alarm != why, devices.c.alarmed_at <= now - quiet))
            .values(alarmed_at=now, alarm=why)
        )
        return changed.rowcount == 1

    async def acknowledge(self, device: str) -> bool:
        """Take an alarm back; False when there is none."""
        changed = await self._connection.execute(
            update(devices)
            .where(devices.c.id == device, devices.c.alarm.is_not(None))
            .values(alarmed_at=None, alarm=None)
        )
        return changed.rowcount == 1

    async def lock_revocations(self) -> None:
        """Let nobody else write the list of revocations until this transaction ends; SQLite has one writer anyway."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_advisory_xact_lock(_REVOCATIONS_LOCK)))

    async def revoked(self, now: float) -> Sequence[tuple[str, str, float]]:
        """Serial, device and time of every certificate that the broker must refuse.

        One that has ended a day ago is refused by its own date, one that was replaced is listened to for a day.
        """
        replaced = certificates.c.successor.is_not(None) & (certificates.c.revoked_at <= now - LISTENED)
        return await self._revoked(now, or_(replaced, certificates.c.successor.is_(None)))

    async def taken_away(self, now: float) -> Sequence[tuple[str, str, float]]:
        """Those of them that were taken away from their device, not replaced: its connection is to be ended."""
        return await self._revoked(now, certificates.c.successor.is_(None))

    async def _revoked(self, now: float, which: ColumnElement[bool]) -> Sequence[tuple[str, str, float]]:
        columns = (certificates.c.serial, certificates.c.device, certificates.c.revoked_at)
        listed = certificates.c.revoked_at.is_not(None) & (certificates.c.expires_at > now - DAY)
        found = await self._connection.execute(select(*columns).where(listed, which))
        return [(row[0], row[1], row[2]) for row in found]


class Claims:
    """Claims, within one transaction."""

    def __init__(self, connection: Connection) -> None:
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

    async def use(self, code_hash: str, device: str, now: float) -> bool:
        """Use the claim up for `device`; False when somebody was faster."""
        changed = await self._connection.execute(
            update(claims)
            .where(claims.c.code_hash == code_hash, claims.c.used_at.is_(None))
            .values(used_at=now, device=device)
        )
        return changed.rowcount == 1


_DEVICES = select(
    devices,
    select(func.max(certificates.c.expires_at))
    .where(certificates.c.device == devices.c.id, certificates.c.revoked_at.is_(None))
    .scalar_subquery()
    .label("certified_until"),
)

_KEYS: Final = 4
"""Certificates that a signature is tried with: the present one, its successor, and the last that were replaced."""

_STANDING = Prepared(
    select(devices.c.status, devices.c.group_name, *(certificates.c[field.name] for field in fields(Held)))
    .join(certificates, certificates.c.device == devices.c.id)
    .where(devices.c.id == bindparam("device"))
    .order_by(certificates.c.revoked_at.is_not(None), certificates.c.issued_at.desc())
    .limit(_KEYS)
    .with_for_update(of=devices)
)


def _device(row: Row[Any]) -> Device:
    return Device(
        row.id,
        Status(row.status),
        row.hardware,
        row.enrolled_at,
        row.active_at,
        row.revoked_at,
        row.alarmed_at,
        row.alarm,
        row.certified_until,
    )
