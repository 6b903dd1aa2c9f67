"""The device's side of renewing, written with the messages package only, and a cloud that renews."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from device.messages.envelope import (
    RENEWAL_ANSWER,
    RENEWAL_REQUEST,
    KeySigner,
    load_public_pem,
    open_envelope,
    seal_envelope,
)
from device.messages.minting import Refusal
from device.messages.renewal import RenewalAnswer, RenewalRequest, UseNotice
from device.messages.wire import decode
from provisioning.audit import broken_at
from provisioning.authority import Authority
from provisioning.enrolment import certificate_row
from provisioning.keyring import Standing
from provisioning.renewal import Renewals
from provisioning.store import Store
from tests.enrolment import certificate_request

NOW = 1_800_000_000.0
DAY = 86_400.0
DUE = NOW + 41 * DAY
"""Two thirds of a life of 60 days, and some."""


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Robot:
    """A device with one key; `after` a renewal it has another."""

    name: str
    key: ec.EllipticCurvePrivateKey
    authority: Authority
    nonce: str = ""

    def ask(self, csr: str, now: float = DUE, **changes: Any) -> bytes:
        """Return a signed request; `changes` override what an honest one says."""
        return self._sealed(RenewalRequest(**(self._fields(now) | {"csr": csr} | changes)))

    def ask_for(self, key: ec.EllipticCurvePrivateKey, now: float = DUE, **changes: Any) -> bytes:
        return self.ask(certificate_request(key), now, **changes)

    def notice(self, now: float = DUE, **changes: Any) -> bytes:
        """Return a signed notice of use."""
        return self._sealed(UseNotice(**(self._fields(now) | changes)))

    def after(self, key: ec.EllipticCurvePrivateKey) -> Robot:
        return Robot(self.name, key, self.authority)

    def _fields(self, now: float) -> dict[str, Any]:
        return {"device": self.name, "nonce": secrets.token_hex(16), "issued_at": now, "expires_at": now + 30}

    def _sealed(self, message: RenewalRequest | UseNotice) -> bytes:
        self.nonce = message.nonce
        return seal_envelope(RENEWAL_REQUEST, message, KeySigner(self.name, self.key))

    def answer(self, data: bytes | None) -> RenewalAnswer:
        """Verify and return the answer to the last message."""
        assert data is not None
        mint = load_public_pem(self.authority.mint_pem)
        answer = decode(open_envelope(RENEWAL_ANSWER, data, lambda _: mint), RenewalAnswer)
        assert (answer.device, answer.nonce) == (self.name, self.nonce)
        return answer

    def certificate(self, data: bytes | None) -> x509.Certificate:
        answer = self.answer(data)
        assert answer.refusal is None, answer.text
        return x509.load_pem_x509_certificate(answer.certificate.encode())

    def refusal(self, data: bytes | None) -> tuple[Refusal, str]:
        answer = self.answer(data)
        assert answer.refusal is not None
        assert not answer.certificate
        return answer.refusal, answer.text


@dataclass
class Cloud:
    """What answers."""

    store: Store
    authority: Authority
    renewals: Renewals

    async def robot(self, name: str = "robot-1", *, days: float = 60, now: float = NOW, seen: bool = True) -> Robot:
        """Enrol a robot and see it once (unless not `seen`), without the HTTPS and MQTT around it."""
        key = p256()
        certificate = self.authority.issue_device(key.public_key(), name, now, days)
        async with self.store.transaction() as t:
            await t.devices.enrol("", certificate_row(certificate, name, now))
            if seen:
                await t.devices.activate(name, now)
        return Robot(name, key, self.authority)

    async def renewed(self, robot: Robot, now: float = DUE) -> Robot:
        """Renew, and tell of the use; return who the robot is then."""
        key = p256()
        robot.certificate(await self.renewals.answer(robot.ask_for(key, now), robot.name, now))
        successor = robot.after(key)
        assert successor.answer(await self.renewals.answer(successor.notice(now), robot.name, now)).refusal is None
        return successor

    async def standing(self, name: str = "robot-1") -> Standing:
        async with self.store.transaction() as t:
            standing = await t.devices.standing(name)
        assert standing is not None
        return standing

    async def actions(self) -> list[str]:
        """What the audit, which must be whole, has recorded."""
        async with self.store.transaction() as t:
            entries = [entry async for entry in t.audit.entries()]
        assert broken_at(entries) is None
        return [entry.action for entry in entries]

    async def alarm(self, name: str = "robot-1") -> str | None:
        async with self.store.transaction() as t:
            device = await t.devices.find(name)
        assert device is not None
        return device.alarm

    def listed(self) -> set[int]:
        return self.authority.revoked_serials()


@asynccontextmanager
async def renewing(folder: Path, store_url: str) -> AsyncIterator[Cloud]:
    """Set it up."""
    authority = Authority.open(folder, ("127.0.0.1",), NOW)
    async with Store(store_url) as store:
        yield Cloud(store, authority, Renewals(store, authority, 60))
