"""How a board becomes a device: an operator makes a claim, the board uses it up and gets a certificate."""

from __future__ import annotations

import logging
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from device.errors import EnrolmentError
from device.messages.enrolment import BrokerAddress, Claim, Enrolment, EnrolRequest
from device.messages.envelope import public_pem
from provisioning.alarms import CLAIM_AGAIN, FOREIGN_KEY, raise_alarm
from provisioning.authority import Authority
from provisioning.codes import hash_code, is_device_name, new_code, new_device
from provisioning.registry import CLAIM_ATTEMPTS, Certificate, ClaimRow
from provisioning.revocation import publish_revocations
from provisioning.store import DuplicateError, Store, Transaction

_log = logging.getLogger(__name__)


class ClaimRefusedError(EnrolmentError):
    """A board is not enrolled: the HTTP `status` it gets, a `code` for programs, and words for people."""

    def __init__(self, status: int, code: str, text: str) -> None:
        self.status, self.code = status, code
        super().__init__(text)


class Enrolments:
    """Makes claims, and turns each into one device; `broker` is where devices find it, `days` a certificate's life."""

    def __init__(self, store: Store, authority: Authority, broker: BrokerAddress, days: float) -> None:
        self._store, self._authority, self._broker, self._days = store, authority, broker, days

    async def new_claim(
        self,
        address: str,
        now: float,
        ttl: float,
        *,
        device: str | None = None,
        group: str = "",
        operator: str = "",
        why: str = "",
    ) -> Claim:
        """Return a claim that can be used once within `ttl` seconds, for a device of this name or of a fresh one.

        `address` is where boards find the enrolment server, HOST:PORT; `group` is where the device comes, if anywhere.

        Raises:
            EnrolmentError: not a name that a device can have.
        """
        if device is not None and not is_device_name(device):
            raise EnrolmentError(f"{device!r} cannot name a device; take 3 to 40 of a-z, 0-9 and -")
        code = new_code()
        async with self._store.transaction() as t:
            await t.claims.add(hash_code(code), device, now, now + ttl)
            await t.groups.promise(hash_code(code), group)
            await t.audit.add(now, operator, "claim_made", device or "", ttl=ttl, group=group, why=why)
        return Claim(address, code, self._authority.fingerprint)

    async def enrol(self, request: EnrolRequest, now: float) -> Enrolment:
        """Use a claim up and return what the new device gets for it; `now` in Unix seconds.

        Raises:
            ClaimRefusedError: the claim is unknown, used or out of time, or the certificate request is not usable.
        """
        code_hash = hash_code(request.code)
        key = requested_key(request.csr)
        try:
            async with self._store.transaction() as t:
                outcome = await self._use(t, code_hash, key, request.hardware, now)
        except DuplicateError:
            await self._note_copy(key, now)
            raise ClaimRefusedError(409, "key_in_use", "this key belongs to a device already; make a new one") from None
        if isinstance(outcome, ClaimRefusedError):
            raise outcome
        certificate, replaced = outcome
        if replaced:
            await publish_revocations(self._store, self._authority, now)
        return self._enrolment(certificate, now)

    async def _note_copy(self, key: ec.EllipticCurvePublicKey | ClaimRefusedError, now: float) -> None:
        """Raise the alarm about the device whose key was offered with a claim: its card has been copied."""
        async with self._store.transaction() as t:
            if not isinstance(key, ClaimRefusedError) and (owner := await t.devices.certificate_of(public_pem(key))):
                await raise_alarm(t, owner.device, FOREIGN_KEY, now)

    async def _use(
        self,
        t: Transaction,
        code_hash: str,
        key: ec.EllipticCurvePublicKey | ClaimRefusedError,
        hardware: str,
        now: float,
    ) -> tuple[x509.Certificate, bool] | ClaimRefusedError:
        claim = await t.claims.find(code_hash)
        refusal = _refusal(claim, now) or (key if isinstance(key, ClaimRefusedError) else None)
        if claim is None or refusal is not None or isinstance(key, ClaimRefusedError):
            await _note_refusal(t, code_hash, claim, refusal, now)
            return refusal or _UNKNOWN
        device = claim.device or new_device()
        if not await t.claims.use(code_hash, device, now):
            await _note_refusal(t, code_hash, claim, _USED, now)
            return _USED
        certificate = self._authority.issue_device(key, device, now, self._days)
        replaced = await t.devices.enrol(_printable(hardware)[:64], certificate_row(certificate, device, now))
        await t.groups.keep_promise(code_hash, device)
        await t.audit.add(now, "enrolment", "enrolled", device, serial=f"{certificate.serial_number:x}")
        return certificate, replaced

    def _enrolment(self, certificate: x509.Certificate, now: float) -> Enrolment:
        name = certificate.subject.rfc4514_string().removeprefix("CN=")
        _log.info("enrolled %s", name)
        return Enrolment(
            device=name,
            certificate=self._authority.chained(certificate).decode(),
            authority=self._authority.root_pem,
            broker=self._broker,
            mint_kid=self._authority.mint_signer.kid,
            mint_key=self._authority.mint_pem,
            operators=self._authority.operator_keys(),
            server_time=now,
        )


OVER: Final = "ask for a new one"
"""In the words of a refusal that stays: a board's first boot knows by them that it need not try again (card/first-boot)."""

_UNKNOWN = ClaimRefusedError(403, "unknown_claim", f"no such claim; {OVER} (kaiwa-cloud claim new)")

_USED = ClaimRefusedError(410, "claim_used", f"this claim has been used; {OVER}")

_BAD_REQUEST = ClaimRefusedError(400, "bad_csr", "the certificate request is not one for a P-256 key, signed with it")


def _refusal(claim: ClaimRow | None, now: float) -> ClaimRefusedError | None:
    if claim is None:
        return _UNKNOWN
    if claim.used_at is not None:
        return _USED
    if now >= claim.expires_at:
        return ClaimRefusedError(410, "claim_expired", f"this claim is out of time; {OVER}")
    if claim.attempts >= CLAIM_ATTEMPTS:
        return ClaimRefusedError(410, "claim_dead", f"this claim failed too often; {OVER}")
    return None


async def _note_refusal(
    t: Transaction, code_hash: str, claim: ClaimRow | None, refusal: ClaimRefusedError | None, now: float
) -> None:
    if claim is not None and refusal is not None:
        await t.claims.count_attempt(code_hash)
        await t.audit.add(now, "enrolment", "claim_refused", claim.device or "", why=refusal.code)
        if refusal is _USED and claim.device:
            await raise_alarm(t, claim.device, CLAIM_AGAIN, now)


def requested_key(csr: str) -> ec.EllipticCurvePublicKey | ClaimRefusedError:
    """Return the key of a certificate request that its holder has signed; nothing else in it counts."""
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key, signed = request.public_key(), request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return _BAD_REQUEST
    if signed and isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    return _BAD_REQUEST


def _printable(text: str) -> str:
    """Return `text` without what a terminal would obey."""
    return "".join(sign for sign in text if sign.isprintable())


def certificate_row(certificate: x509.Certificate, device: str, now: float, pem: str | None = None) -> Certificate:
    """Return what the store keeps of a certificate of `device`; its `pem` when it may have to be given again."""
    return Certificate(
        serial=f"{certificate.serial_number:x}",
        device=device,
        public_key=certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        issued_at=now,
        expires_at=certificate.not_valid_after_utc.timestamp(),
        pem=pem,
    )
