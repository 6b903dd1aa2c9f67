"""Minting: from a device's signed request to a sealed grant, or to a refusal that says what to do next.

The checks come in this order, in one transaction: the device of the topic is known, the signature is by one of its
registered keys, the request is for itself and fresh, the nonce is new, the key has not been replaced, the policy allows
it, the fleet is not halted, the hours are open, the budgets have room for all that the session may cost (which is put
aside with it), and the conversation service is not resting after failures. A session that goes on with another call has
passed hours and budgets: it has what was put aside for it, its channel, its deadline and its profile, and is given a
call (`opening.py`) and nothing else. Whoever fails one of the first two gets no
answer, for we would not know whom we tell. The answer goes to the topic of the device, whatever the request
says, and only the key made for this request opens it.

A robot that hears nothing asks again with the same bytes. Who serves them stands with the nonce and the session: while
that minter is alive every other keeps silent, and when it has ended, one of them serves the request anew (`repeats.py`).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import msgspec

from device.errors import MalformedMessageError, MisaddressedError, StaleMessageError
from device.messages.envelope import MINT_ANSWER, MINT_REQUEST, check_fresh, seal_envelope
from device.messages.minting import Grant, MintAnswer, MintRequest, Refusal
from device.messages.sealing import binding, seal
from device.messages.tools import check_declarations
from device.messages.wire import MAX_BYTES, decode, encode
from provisioning.alarms import REPLACED_KEY, raise_alarm
from provisioning.answers import Answers
from provisioning.broadcasting import Broadcasts
from provisioning.duty import Duty
from provisioning.granting import Admitted, Services, Terms, TooLongError, unable
from provisioning.keyring import Held, Standing, identify
from provisioning.mint_key import MintKey
from provisioning.openai import OpenAI, OpenAIError
from provisioning.policy import Allow, Refuse, Status, decide, go_on
from provisioning.profiles.choosing import Chosen, ProfileError
from provisioning.repeats import again
from provisioning.sessions import Session, free
from provisioning.store import Store, Transaction

_log = logging.getLogger(__name__)

LONGEST_SECONDS: Final = 30.0
"""A request may be valid for this long."""

_NONCE: Final = re.compile(r"[0-9a-f]{32}")


class Minter:
    """Answers requests for sessions.

    `granted` is told of every session that begins; `settled` waits until the end of a device's session before, of which
    it has told, is written down. `duty` tells whether other minters are alive.
    """

    def __init__(
        self,
        store: Store,
        signer: MintKey,
        openai: OpenAI,
        broadcasts: Broadcasts,
        terms: Terms,
        granted: Callable[[Session], None],
        settled: Callable[[str], Awaitable[None]],
        duty: Duty,
    ) -> None:
        self._duty = duty
        self._store, self._signer, self._terms = store, signer, terms
        self._granted, self._settled = granted, settled
        self._services = Services(store, openai, broadcasts, terms)
        self._broadcasts, self._answers = broadcasts, Answers()

    async def answer(self, data: bytes, device: str, now: float) -> bytes | None:
        """Return the signed answer to what came on the topic of `device`; `now` in Unix seconds.

        None for what deserves no answer: from an unknown device, forged, malformed, or being answered already.
        """

        async def serve() -> bytes:
            await self._settled(device)
            with self._store.serving():
                return await self._serve(data, device, now)

        return await self._answers.once(device, data, now, serve)

    async def _serve(self, data: bytes, device: str, now: float) -> bytes:
        request, verdict = await self._store.together(partial(self._decided, data, device, now))
        if isinstance(verdict, Refuse):
            return self._refused(request, verdict, now)
        return await self._begun(request, verdict, now)

    async def _decided(
        self, data: bytes, device: str, now: float, t: Transaction
    ) -> tuple[MintRequest, Admitted | Refuse]:
        """Return what a device asks for, and what it gets, entered in the store, or why it gets nothing."""
        standing = await t.devices.standing(device)
        if standing is None:
            raise MisaddressedError("no device of this name is enrolled")
        request, held = _opened(data, device, standing, self._signer)
        judged = await self._judge(t, request, standing.status, held, now)
        verdict = await self._admit(t, request, standing.group, judged, now)
        action, subject = _deed(request, judged)
        await t.audit.add(now, device, action, subject, **_told(verdict))
        return request, verdict

    async def _admit(
        self, t: Transaction, request: MintRequest, group: str, judged: Allow | Session | Refuse, now: float
    ) -> Admitted | Refuse:
        """Enter the session that a device may have, or go on with the one that there is."""
        if isinstance(judged, Refuse):
            return judged
        if isinstance(judged, Session):
            return await self._as_before(t, judged)
        going_on = await t.sessions.find(request.continues) if request.continues else None
        if going_on is not None:
            return await self._admit_again(t, request, going_on, now)
        return await self._admit_anew(t, request, group, judged.deadline, now)

    async def _admit_anew(
        self, t: Transaction, request: MintRequest, group: str, deadline: float, now: float
    ) -> Admitted | Refuse:
        """Enter a new session with the profile that its device has now."""
        try:
            chosen = await self._terms.profiles.choose(t.profiles, request.device, group)
        except ProfileError as error:  # it is never silently another
            _log.error("no session for %s: %s", request.device, error)
            return Refuse(Refusal.DENIED, "the profile of this robot cannot be used (see `kaiwa-cloud profile show`)")
        session = self._session(request, group, chosen, min(deadline, now + chosen.limits.longest), now)
        refusal = unable(request, chosen) or await self._hindrance(t, session)
        if refusal is None:
            await t.sessions.add(session)
        return refusal or Admitted(session, chosen)

    async def _admit_again(
        self, t: Transaction, request: MintRequest, session: Session, now: float
    ) -> Admitted | Refuse:
        """Let a session go on with another call."""
        admitted = await self._as_before(t, session)
        if isinstance(admitted, Refuse):
            return admitted
        refusal = unable(request, admitted.chosen) or await self._halted(t) or self._resting(now)
        if refusal is None:
            await t.sessions.renew(session.id)
        return refusal or admitted

    async def _as_before(self, t: Transaction, session: Session) -> Admitted | Refuse:
        """Return a session that there is, with the profile that it began with."""
        try:
            return Admitted(
                session, await self._terms.profiles.again(t.profiles, session.profile, session.profile_version)
            )
        except ProfileError as error:
            _log.error("no grant for session %s: %s", session.id, error)
            return Refuse(Refusal.DENIED, "the profile of this session cannot be used any more")

    def _session(self, request: MintRequest, group: str, chosen: Chosen, deadline: float, now: float) -> Session:
        model = chosen.persona.billed
        reserved = self._terms.rules.reservation(deadline + self._terms.grace - now, model)
        return Session(
            request.nonce,
            request.device,
            request.reason,
            now,
            deadline,
            group=group,
            reserved=reserved,
            profile=chosen.name,
            profile_version=chosen.version,
            model=model,
            minter=self._duty.name,
        )

    async def _judge(
        self, t: Transaction, request: MintRequest, status: Status, held: Held, now: float
    ) -> Allow | Session | Refuse:
        if status is Status.PENDING and await t.devices.activate(request.device, now):
            status = Status.ACTIVE
        try:
            check_fresh(request.issued_at, request.expires_at, now, longest=LONGEST_SECONDS)
        except StaleMessageError as error:
            return Refuse(Refusal.CLOCK_SKEW, str(error))
        counts = await t.sessions.counts(request.device, now)
        if not await t.sessions.note_request(request.device, request.nonce, now, self._duty.name):
            return await again(t, request, status, self._duty)
        if held.replaced(now):
            await raise_alarm(t, request.device, REPLACED_KEY, now)
            return Refuse(Refusal.DENIED, "signed with a key that has been replaced")
        if request.continues:
            found = await t.sessions.find(request.continues)
            going_on = found is not None and found.device == request.device and found.ended_at is None
            deadline = found.deadline if found is not None and going_on else None
            return go_on(status, held.expires_at, counts, self._terms.allowance, deadline, now)
        return decide(status, held.expires_at, counts, self._terms.allowance, now)

    async def _halted(self, t: Transaction) -> Refuse | None:
        halt = await t.halts.current()
        return None if halt is None else Refuse(Refusal.DENIED, f"the fleet is halted: {halt.why}")

    async def _hindrance(self, t: Transaction, session: Session) -> Refuse | None:
        """Return what stands against a session that its device may have."""
        rules, now = self._terms.rules, session.created_at
        refusal = await self._halted(t) or rules.closed(session.group, now)
        limited = rules.limited(session.device, session.group)
        if refusal is None and limited:
            spent = await t.ledger.spent(limited, now)
            refusal = rules.afford(spent, session.device, session.group, session.reserved, now)
        return refusal or self._resting(now)

    def _resting(self, now: float) -> Refuse | None:
        wait = self._services.wait(now)
        text = "the conversation service has failed several times in a row, and is left alone for a moment"
        return Refuse(Refusal.UPSTREAM, text, wait) if wait else None

    async def _begun(self, request: MintRequest, admitted: Admitted, now: float) -> bytes:
        session = admitted.session
        try:
            async with self._services.granted(request, admitted, now) as (grant, session):
                answer = self._sealed(request, grant, now)
        except TooLongError as error:
            await self._take_back(request, session, "too long", now)
            return self._refused(request, Refuse(Refusal.DENIED, str(error)), now)
        except OpenAIError as error:
            _log.warning("no session for %s: %s", request.device, error)
            await self._take_back(request, session, f"OpenAI {error.code}", now, had=False)
            return self._refused(request, Refuse(Refusal.UPSTREAM, _words(error), error.retry_after), now)
        except asyncio.CancelledError:
            if not request.continues:
                self._granted(session)  # whoever is asked next serves it, or the leash ends it
            raise
        except BaseException:
            await self._take_back(request, session, "interrupted", now)
            raise
        if not request.continues:
            self._granted(session)
        what = "another call for session" if request.continues else "session"
        _log.info("granted %s %s to %s", what, session.id, request.device)
        return answer

    def _sealed(self, request: MintRequest, grant: Grant, now: float) -> bytes:
        sealed = seal(encode(grant), request.reply_key, binding(request.device, request.nonce))
        answer = self._signed(MintAnswer(device=request.device, nonce=request.nonce, server_time=now, sealed=sealed))
        if len(answer) > MAX_BYTES:  # it would cost the connection to the broker
            raise TooLongError(f"the grant has {len(answer)} bytes, over {MAX_BYTES}: shorten texts or hidden words")
        return answer

    async def _take_back(
        self, request: MintRequest, session: Session, reason: str, now: float, *, had: bool = True
    ) -> None:
        """End a session that was not granted after all; if that fails, the leash will.

        One for which no secret was had does not count as one of its device's day: an outage of the service would use
        that up. One that would only have gone on with another call goes on without.
        """
        if request.continues:
            async with self._store.transaction() as t:
                await t.sessions.renew(session.id, -1)
            return
        try:
            async with self._store.transaction() as t:
                if had:
                    await t.sessions.end(session.id, now, reason, free)
                else:
                    await t.sessions.take_back(session.id, now, reason)
                await t.audit.add(now, "minter", "not_begun", session.id, why=reason)
                found = await t.sessions.find(session.id)
            if found is not None and found.channel_id:
                await self._broadcasts.close(session.id, found.channel_id)
        except BaseException:
            self._granted(session)
            raise

    def _refused(self, request: MintRequest, refuse: Refuse, now: float) -> bytes:
        _log.info("refused %s: %s, %s", request.device, refuse.refusal, refuse.text)
        return self._signed(
            MintAnswer(
                device=request.device,
                nonce=request.nonce,
                server_time=now,
                refusal=refuse.refusal,
                text=refuse.text,
                retry_after=refuse.retry_after,
            )
        )

    def _signed(self, answer: MintAnswer) -> bytes:
        return seal_envelope(MINT_ANSWER, answer, self._signer)


def _opened(data: bytes, device: str, standing: Standing, key: MintKey) -> tuple[MintRequest, Held]:
    """Return a request with its offer opened, and the key that has signed it."""
    payload, held = identify(MINT_REQUEST, data, device, standing)
    request = decode(payload, MintRequest)
    if request.device != device:
        raise MisaddressedError(f"{device} asks for another device")
    if not _NONCE.fullmatch(request.nonce) or len(request.reply_key) != 32:
        raise MalformedMessageError("nonce or reply key have the wrong form")
    check_declarations(request.tools)
    return msgspec.structs.replace(request, offer=key.offer_of(request)), held


def _deed(request: MintRequest, judged: Allow | Session | Refuse) -> tuple[str, str]:
    """Return what the audit calls this request, and what it is about."""
    subject = request.continues or request.nonce
    if isinstance(judged, Session):
        return "take_over", subject
    return "renew" if request.continues else "mint", subject


def _told(verdict: Admitted | Refuse) -> dict[str, object]:
    if isinstance(verdict, Refuse):
        return {"refused": verdict.refusal}
    title = verdict.chosen.title
    return {"allowed": True, **({"profile": title} if title else {})}


def _words(error: OpenAIError) -> str:
    return f"the conversation service: {error.status or 'no answer'} {error.code}"
