"""Renewing certificates: from a request signed with the key in use to a certificate for the next one.

A certificate that is renewed replaces nothing yet. Its device connects with it and tells so, signed with the new key;
from then on the one before can do nothing. For a day the broker still lets it in, so that whoever has stolen it, or has
renewed it before its robot did, is heard; then it goes onto the list of revocations.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from device.errors import (
    KaiwaError,
    MalformedMessageError,
    MisaddressedError,
    StaleMessageError,
)
from device.messages.envelope import RENEWAL_ANSWER, RENEWAL_REQUEST, check_fresh, public_pem, seal_envelope
from device.messages.minting import Refusal
from device.messages.renewal import VALID_SECONDS, RenewalAnswer, RenewalRequest, UseNotice, decode_request
from provisioning.alarms import FOREIGN_KEY, REPLACED_KEY, SECOND_SUCCESSOR, raise_alarm
from provisioning.answers import Answers
from provisioning.authority import Authority
from provisioning.enrolment import ClaimRefusedError, certificate_row, requested_key
from provisioning.keyring import Held, Standing, identify
from provisioning.policy import Refuse, Status
from provisioning.registry import Certificate
from provisioning.revocation import publish_revocations
from provisioning.store import Store, Transaction

_log = logging.getLogger(__name__)

EARLIEST: Final = 0.5
"""Share of a certificate's life before which it is not renewed: a stolen key must not make certificates at will."""

REQUESTS_PER_MINUTE: Final = 12
"""Of one device, those for sessions included."""

SWEEP_SECONDS: Final = 3600.0
"""How often replaced certificates whose day is over go onto the list of revocations."""

_NONCE: Final = re.compile(r"[0-9a-f]{32}")

_ENROL_AGAIN: Final = "enrol it again (kaiwa-cloud claim new)"


class Renewals:
    """Answers requests for certificates; `days` is the life of each. `run()` its sweep in a task."""

    def __init__(self, store: Store, authority: Authority, days: float) -> None:
        self._store, self._authority, self._days = store, authority, days
        self._answers = Answers()

    async def answer(self, data: bytes, device: str, now: float) -> bytes | None:
        """Return the signed answer to what came on the topic of `device`; `now` in Unix seconds.

        None for what deserves no answer: from an unknown device, forged, malformed, or being answered already.
        """
        return await self._answers.once(device, data, now, lambda: self._serve(data, device, now))

    async def _serve(self, data: bytes, device: str, now: float) -> bytes:
        async with self._store.transaction() as t:
            standing = await t.devices.standing(device)
            if standing is None:
                raise MisaddressedError("no device of this name is enrolled")
            payload, held = identify(RENEWAL_REQUEST, data, device, standing)
            request = _addressed(decode_request(payload), device)
            outcome = await self._judge(t, request, standing, held, now)
            if isinstance(outcome, Refuse):
                await t.audit.add(now, device, "renewal_refused", device, serial=held.serial, why=outcome.text)
        return self._signed(request, outcome, now)

    async def _judge(
        self, t: Transaction, request: RenewalRequest | UseNotice, standing: Standing, held: Held, now: float
    ) -> str | Refuse:
        """Return the certificate, or nothing for a notice that was taken."""
        refuse = await _unserved(t, request, standing.status, held, now)
        if refuse is not None:
            return refuse
        if isinstance(request, UseNotice):
            return await _note_use(t, request.device, held, now)
        key = requested_key(request.csr)
        if isinstance(key, ClaimRefusedError):
            return Refuse(Refusal.DENIED, str(key))
        given = await _given(t, request.device, public_pem(key), standing, now)
        return await self._renew(t, request.device, key, held, now) if given is None else given

    async def _renew(
        self, t: Transaction, device: str, key: ec.EllipticCurvePublicKey, held: Held, now: float
    ) -> str | Refuse:
        earliest = held.issued_at + EARLIEST * (held.expires_at - held.issued_at)
        if held.used_at is None or now < earliest:
            return Refuse(Refusal.DENIED, "this certificate is too new to be renewed", max(0.0, earliest - now))
        certificate = self._authority.issue_device(key, device, now, self._days)
        pem = self._authority.chained(certificate).decode()
        row = certificate_row(certificate, device, now, pem)
        await t.devices.renew(row)
        await t.audit.add(now, device, "renewed", device, serial=row.serial, replaces=held.serial)
        _log.info("renewed the certificate of %s", device)
        return pem

    def _signed(self, request: RenewalRequest | UseNotice, outcome: str | Refuse, now: float) -> bytes:
        answer = RenewalAnswer(device=request.device, nonce=request.nonce, server_time=now)
        if isinstance(outcome, Refuse):
            _log.info("did not renew %s: %s, %s", request.device, outcome.refusal, outcome.text)
            told = {"refusal": outcome.refusal, "text": outcome.text, "retry_after": outcome.retry_after}
        else:
            told = {"certificate": outcome}
        return seal_envelope(RENEWAL_ANSWER, replace(answer, **told), self._authority.mint_signer)

    async def run(self) -> None:
        """Put replaced certificates onto the list of revocations when their day is over, for ever."""
        while True:
            try:
                await self.sweep(time.time())
            except KaiwaError as error:
                _log.warning("replaced certificates are not on the list yet: %s", error)
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self, now: float) -> None:
        """Write the list of revocations anew if it has changed.

        Raises:
            StoreError, SettingsError: it cannot be read or written.
        """
        async with self._store.transaction() as t:
            wanted = {int(serial, 16) for serial, _, _ in await t.devices.revoked(now)}
        if wanted != self._authority.revoked_serials():
            await publish_revocations(self._store, self._authority, now)


def _addressed(request: RenewalRequest | UseNotice, device: str) -> RenewalRequest | UseNotice:
    if request.device != device:
        raise MisaddressedError(f"{device} asks for another device")
    if not _NONCE.fullmatch(request.nonce):
        raise MalformedMessageError("the nonce has the wrong form")
    return request


async def _unserved(
    t: Transaction, request: RenewalRequest | UseNotice, status: Status, held: Held, now: float
) -> Refuse | None:
    """Return why a request that is certainly this device's is not served, if there is a reason."""
    if status is Status.PENDING and await t.devices.activate(request.device, now):
        status = Status.ACTIVE
    try:
        check_fresh(request.issued_at, request.expires_at, now, longest=VALID_SECONDS)
    except StaleMessageError as error:
        return Refuse(Refusal.CLOCK_SKEW, str(error))
    if (await t.sessions.counts(request.device, now)).minute >= REQUESTS_PER_MINUTE:
        return Refuse(Refusal.BUSY, "too many requests in the last minute", 60.0)
    if not await t.sessions.note_request(request.device, request.nonce, now):
        return Refuse(Refusal.REPLAY, "this request has been answered before")
    return await _unentitled(t, request.device, status, held, now)


async def _unentitled(t: Transaction, device: str, status: Status, held: Held, now: float) -> Refuse | None:
    """Return why nothing is done for this device, or for who has this key, if there is a reason."""
    if status is not Status.ACTIVE:
        refusal = Refusal.REVOKED if status is Status.REVOKED else Refusal.DENIED
        return Refuse(refusal, f"this device is {status.lower()}; {_ENROL_AGAIN}")
    if held.replaced(now):
        await raise_alarm(t, device, REPLACED_KEY, now)
    if held.successor is not None:
        return Refuse(Refusal.DENIED, "signed with a key that has been replaced")
    if now >= held.expires_at:
        return Refuse(Refusal.DENIED, f"the certificate of this device has expired; {_ENROL_AGAIN}")
    return None


async def _note_use(t: Transaction, device: str, held: Held, now: float) -> str:
    retired = await t.devices.use(device, held.serial, now)
    if retired is not None:
        await t.audit.add(now, device, "certificate_used", device, serial=held.serial, retired=list(retired))
        _log.info("%s uses its new certificate; the one before is retired", device)
    return ""


async def _given(t: Transaction, device: str, key: str, standing: Standing, now: float) -> str | Refuse | None:
    """Return what was given for this key already, why it can get nothing, or None when it is a new one."""
    pending = next((held for held in standing.in_force if held.used_at is None and now < held.expires_at), None)
    known = await t.devices.certificate_of(key)
    if pending is not None and pending.public_key == key:
        return known.pem or "" if known else ""
    if known is not None:
        return await _in_use(t, device, known, now)
    if pending is not None:
        await raise_alarm(t, device, SECOND_SUCCESSOR, now)
        return Refuse(Refusal.DENIED, "another key has been certified already, and not been used")
    return None


async def _in_use(t: Transaction, device: str, known: Certificate, now: float) -> Refuse:
    if known.device != device:
        await raise_alarm(t, known.device, FOREIGN_KEY, now)
    return Refuse(Refusal.DENIED, "this key has a certificate already; make a new one")
