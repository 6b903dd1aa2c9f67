"""Minting: from a device's signed request to a sealed grant, or to a refusal that says what to do next.

The checks come in this order, in one transaction: the device of the topic is known, the signature is by one of its
registered keys, the request is for itself and fresh, the nonce is new, the key has not been replaced, the policy allows
it, the fleet is not halted, the hours are open, the budgets have room for all that the session may cost (which is put
aside with it), and the conversation service is not resting after failures. Whoever fails one of the first two gets no
answer, for we would not know whom we tell. The answer goes to the topic of the device, whatever the request
says, and only the key made for this request opens it.

A robot that hears nothing asks again with the same bytes. Who serves them stands with the session: while that minter is
alive every other keeps silent, and when it has ended, one of them serves the session anew.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from device.errors import (
    MalformedMessageError,
    MessageError,
    MisaddressedError,
    StaleMessageError,
    UpstreamError,
)
from device.messages.envelope import (
    MINT_ANSWER,
    MINT_REQUEST,
    Signer,
    check_fresh,
    seal_envelope,
)
from device.messages.minting import BroadcastGrant, Grant, Limits, MintAnswer, MintRequest, Prompts, Refusal
from device.messages.sealing import binding, seal
from device.messages.tools import allowed, check_declarations
from device.messages.wire import decode, encode
from provisioning.alarms import REPLACED_KEY, raise_alarm
from provisioning.answers import Answers
from provisioning.breaker import FAILURES, Breaker
from provisioning.broadcasting import Broadcasts
from provisioning.duty import Duty
from provisioning.keyring import Held, Standing, identify
from provisioning.openai import OpenAI, OpenAIError
from provisioning.policy import Allow, Allowance, Refuse, Status, decide
from provisioning.sessions import Session, free
from provisioning.spending.rules import Rules
from provisioning.store import Store, Transaction

_log = logging.getLogger(__name__)

LONGEST_SECONDS: Final = 30.0
"""A request may be valid for this long."""

_NONCE: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What every grant says, and what every device may use."""

    allowance: Allowance
    limits: Limits
    language: str
    observer_url: str
    """Where a robot can be watched, with `{device}` in its place."""
    tools: Sequence[str] = ()
    """Names of the tools that the model may be given, where a robot has them."""
    prompts: Prompts = field(default_factory=Prompts)
    grace: float = 0.0
    """Seconds after its deadline within which the cloud ends a session."""
    rules: Rules = field(default_factory=Rules)
    failures: int = FAILURES
    """Of one service in a row, after which it rests."""


class Minter:
    """Answers requests for sessions.

    `granted` is told of every session that begins; `settled` waits until the end of a device's session before, of which
    it has told, is written down. `duty` tells whether other minters are alive.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
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
        self._openai, self._broadcasts = openai, broadcasts
        self._answers = Answers()
        self._openai_breaker, self._broadcast_breaker = Breaker(terms.failures), Breaker(terms.failures)

    async def answer(self, data: bytes, device: str, now: float) -> bytes | None:
        """Return the signed answer to what came on the topic of `device`; `now` in Unix seconds.

        None for what deserves no answer: from an unknown device, forged, malformed, or being answered already.
        """

        async def serve() -> bytes:
            await self._settled(device)
            return await self._serve(data, device, now)

        return await self._answers.once(device, data, now, serve)

    async def _serve(self, data: bytes, device: str, now: float) -> bytes:
        request, verdict = await self._store.together(partial(self._decided, data, device, now))
        if isinstance(verdict, Refuse):
            return self._refused(request, verdict, now)
        return await self._begun(request, verdict, now)

    async def _decided(
        self, data: bytes, device: str, now: float, t: Transaction
    ) -> tuple[MintRequest, Session | Refuse]:
        """Return what a device asks for, and the session that it gets, entered in the store, or why it gets none."""
        standing = await t.devices.standing(device)
        if standing is None:
            raise MisaddressedError("no device of this name is enrolled")
        request, held = _opened(data, device, standing)
        judged = await self._judge(t, request, standing.status, held, now)
        verdict = await self._entered(t, request, standing, judged, now) if isinstance(judged, Allow) else judged
        action = "take_over" if isinstance(judged, Session) else "mint"
        await t.audit.add(now, device, action, request.nonce, **_told(verdict))
        return request, verdict

    async def _entered(
        self, t: Transaction, request: MintRequest, standing: Standing, allow: Allow, now: float
    ) -> Session | Refuse:
        session = self._session(request, standing.group, allow.deadline, now)
        hindrance = await self._hindrance(t, session)
        if hindrance is None:
            await t.sessions.add(session)
        return hindrance or session

    def _session(self, request: MintRequest, group: str, deadline: float, now: float) -> Session:
        reserved = self._terms.rules.reservation(deadline + self._terms.grace - now)
        return Session(
            request.nonce,
            request.device,
            request.reason,
            now,
            deadline,
            group=group,
            reserved=reserved,
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
        if not await t.sessions.note_request(request.device, request.nonce, now):
            return await self._again(t, request, status)
        if held.replaced(now):
            await raise_alarm(t, request.device, REPLACED_KEY, now)
            return Refuse(Refusal.DENIED, "signed with a key that has been replaced")
        return decide(status, held.expires_at, counts, self._terms.allowance, now)

    async def _again(self, t: Transaction, request: MintRequest, status: Status) -> Session | Refuse:
        """Return the session that was granted to this request before, if whoever was to answer it has ended.

        Raises:
            MessageError: another minter will answer it, or has.
        """
        replay = Refuse(Refusal.REPLAY, "this request has been answered before")
        found = await t.sessions.find(request.nonce)
        if found is None or found.device != request.device or found.minter in {"", self._duty.name}:
            return replay
        if not await self._duty.left(found.minter):
            raise MessageError("another minter serves this request")
        if found.call_id or status is not Status.ACTIVE or await t.halts.current() is not None:
            return replay
        taken = await t.sessions.take_over(found, self._duty.name)
        return replace(found, minter=self._duty.name) if taken else replay

    async def _hindrance(self, t: Transaction, session: Session) -> Refuse | None:
        """Return what stands against a session that its device may have."""
        rules, now = self._terms.rules, session.created_at
        halt = await t.halts.current()
        if halt is not None:
            return Refuse(Refusal.DENIED, f"the fleet is halted: {halt.why}")
        refusal = rules.closed(session.group, now)
        limited = rules.limited(session.device, session.group)
        if refusal is None and limited:
            spent = await t.ledger.spent(limited, now)
            refusal = rules.afford(spent, session.device, session.group, session.reserved, now)
        return refusal or self._resting(now)

    def _resting(self, now: float) -> Refuse | None:
        wait = self._openai_breaker.wait(now)
        text = "the conversation service has failed several times in a row, and is left alone for a moment"
        return Refuse(Refusal.UPSTREAM, text, wait) if wait else None

    async def _begun(self, request: MintRequest, session: Session, now: float) -> bytes:
        try:
            grant = await self._grant(request, session, now)
            sealed = seal(encode(grant), request.reply_key, binding(request.device, request.nonce))
        except OpenAIError as error:
            _log.warning("no session for %s: %s", request.device, error)
            self._openai_breaker.told(now, good=False)
            await self._take_back(session, f"OpenAI {error.code}", now, had=False)
            return self._refused(request, Refuse(Refusal.UPSTREAM, _words(error), error.retry_after), now)
        except asyncio.CancelledError:
            self._granted(session)  # whoever is asked next serves it, or the leash ends it
            raise
        except BaseException:
            await self._take_back(session, "interrupted", now)
            raise
        self._granted(session)
        _log.info("granted session %s to %s", session.id, request.device)
        return self._signed(MintAnswer(device=request.device, nonce=request.nonce, server_time=now, sealed=sealed))

    async def _grant(self, request: MintRequest, session: Session, now: float) -> Grant:
        """Ask both services at once; when the talk cannot be had, let the channel come first, so that it is closed."""
        tools = allowed(request.tools, self._terms.tools)
        secret, channel = await asyncio.gather(
            self._openai.grant(tools), self._channel(request, session, now), return_exceptions=True
        )
        if isinstance(secret, BaseException):
            raise secret
        self._openai_breaker.told(now, good=True)
        if isinstance(channel, BaseException):
            raise channel
        broadcast, why_not = channel
        return Grant(
            session=session.id,
            openai=secret,
            broadcast=broadcast,
            no_broadcast=why_not,
            observer_url=self._terms.observer_url.replace("{device}", request.device),
            language=self._terms.language,
            limits=self._terms.limits,
            tools=[tool.name for tool in tools],
            prompts=self._terms.prompts,
            server_time=now,
        )

    async def _channel(self, request: MintRequest, session: Session, now: float) -> tuple[BroadcastGrant | None, str]:
        """Return the channel that is wished for, if any, or why there is none: the talk goes on without."""
        if not request.broadcast:
            return None, ""
        if self._broadcast_breaker.wait(now):
            return None, "the broadcast service: it has failed several times in a row"
        try:
            opened = await self._opened(session, archive=request.archive)
        except UpstreamError as error:
            self._broadcast_breaker.told(now, good=False)
            _log.warning("session %s goes without a broadcast: %s", session.id, error)
            return None, f"the broadcast service: {error.status or 'no answer'} {error.code}"
        self._broadcast_breaker.told(now, good=True)
        return opened, ""

    async def _opened(self, session: Session, *, archive: bool) -> BroadcastGrant | None:
        """Open a channel; one that another minter had opened for the same session is deleted first."""
        if session.channel_id and not await self._broadcasts.close(session.id, session.channel_id):
            raise UpstreamError("ImageFlux", None, "left_over", "the channel of the minter before is still open")
        return await self._broadcasts.open(session.id, archive=archive)

    async def _take_back(self, session: Session, reason: str, now: float, *, had: bool = True) -> None:
        """End a session that was not granted after all; if that fails, the leash will.

        One for which no secret was had does not count as one of its device's day: an outage of the service would use
        that up.
        """
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


def _opened(data: bytes, device: str, standing: Standing) -> tuple[MintRequest, Held]:
    payload, held = identify(MINT_REQUEST, data, device, standing)
    request = decode(payload, MintRequest)
    if request.device != device:
        raise MisaddressedError(f"{device} asks for another device")
    if not _NONCE.fullmatch(request.nonce) or len(request.reply_key) != 32:
        raise MalformedMessageError("nonce or reply key have the wrong form")
    check_declarations(request.tools)
    return request, held


def _told(verdict: Session | Refuse) -> dict[str, object]:
    return {"refused": verdict.refusal} if isinstance(verdict, Refuse) else {"allowed": True}


def _words(error: OpenAIError) -> str:
    return f"the conversation service: {error.status or 'no answer'} {error.code}"
