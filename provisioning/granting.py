"""What a session that may begin is granted with: both services are asked at once, and released if it comes to nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from device.errors import KaiwaError, UpstreamError
from device.messages.minting import BroadcastGrant, Grant, MintRequest, OpenAIGrant, Refusal
from device.messages.tools import ToolDeclaration
from provisioning.breaker import FAILURES, Breaker
from provisioning.broadcasting import Broadcasts
from provisioning.openai import OpenAI, OpenAIError
from provisioning.opening import ByAnswer, ByLive, BySecret, CallOpening
from provisioning.policy import Allowance, Refuse
from provisioning.profiles.choosing import Chooser, Chosen
from provisioning.sessions import Session
from provisioning.spending.rules import Rules
from provisioning.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What every grant says, and what every device may use."""

    allowance: Allowance
    profiles: Chooser
    """What each session is granted with."""
    observer_url: str
    """Where a robot can be watched, with `{device}` in its place."""
    grace: float = 0.0
    """Seconds after its deadline within which the cloud ends a session."""
    rules: Rules = field(default_factory=Rules)
    failures: int = FAILURES
    """Of one service in a row, after which it rests."""
    hidden_words: tuple[str, ...] = ()
    """What robots mask in captions, whatever their profile."""


class TooLongError(KaiwaError):
    """A grant that fits into no message."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A session that is entered, and what it is granted with."""

    session: Session
    chosen: Chosen


def unable(request: MintRequest, chosen: Chosen) -> Refuse | None:
    """Return why a robot cannot have a call in the way that its profile wants; it is never silently another way."""
    if chosen.persona.opening != "secret" and not request.offer:
        text = 'the profile has the cloud open calls, and this robot sends no offer: set [realtime] exchange = "cloud"'
        return Refuse(Refusal.DENIED, text)
    return None


class Services:
    """What the conversation service and the broadcast service give for sessions, each with its breaker."""

    def __init__(self, store: Store, openai: OpenAI, broadcasts: Broadcasts, terms: Terms) -> None:
        self._store, self._openai, self._broadcasts, self._terms = store, openai, broadcasts, terms
        self._openai_breaker, self._broadcast_breaker = Breaker(terms.failures), Breaker(terms.failures)

    def wait(self, now: float) -> float:
        """Return the seconds for which the conversation service rests after failures; 0 if it does not."""
        return self._openai_breaker.wait(now)

    @asynccontextmanager
    async def granted(
        self, request: MintRequest, admitted: Admitted, now: float
    ) -> AsyncIterator[tuple[Grant, Session]]:
        """Give the grant, and the session with its call as far as it is known; if the body fails, the call is taken back.

        The request's offer, if any, is open.

        Raises:
            OpenAIError: there is no call to be had.
            StoreError, MessageError: as `CallOpening.open`.
        """
        session, tools = admitted.session, admitted.chosen.tools(request.tools)
        opening = self._opening(request, admitted, now)
        try:
            call, channel = await self._asked(opening, request, admitted, tools, now)
            known = replace(session, call_id=call.answered.call_id) if call.answered else session
            yield self._grant(request, admitted, tools, call, channel, now), known
        except BaseException:
            await opening.take_back()
            raise

    def _opening(self, request: MintRequest, admitted: Admitted, now: float) -> CallOpening:
        if admitted.chosen.persona.opening == "secret":
            return BySecret(self._openai)
        way = ByLive if admitted.chosen.persona.opening == "live" else ByAnswer
        return way(self._openai, request.offer.decode(), partial(self._note_call, admitted.session.id), now)

    async def _note_call(self, session: str, call_id: str) -> str | None:
        async with self._store.transaction() as t:
            return await t.sessions.open_call(session, call_id)

    async def _asked(
        self, opening: CallOpening, request: MintRequest, admitted: Admitted, tools: list[ToolDeclaration], now: float
    ) -> tuple[OpenAIGrant, tuple[BroadcastGrant | None, str]]:
        """Ask both services at once; when the talk cannot be had, let the channel come first, so that it is closed."""
        call, channel = await asyncio.gather(
            opening.open(admitted.chosen.session(tools)),
            self._channel(request, admitted.session, now),
            return_exceptions=True,
        )
        if isinstance(call, OpenAIError):
            self._openai_breaker.told(now, good=False)
        if isinstance(call, BaseException):
            raise call
        self._openai_breaker.told(now, good=True)
        if isinstance(channel, BaseException):
            raise channel
        return call, channel

    def _grant(
        self,
        request: MintRequest,
        admitted: Admitted,
        tools: list[ToolDeclaration],
        call: OpenAIGrant,
        channel: tuple[BroadcastGrant | None, str],
        now: float,
    ) -> Grant:
        chosen, (broadcast, why_not) = admitted.chosen, channel
        return Grant(
            session=admitted.session.id,
            openai=call,
            broadcast=broadcast,
            no_broadcast=why_not,
            observer_url=self._terms.observer_url.replace("{device}", request.device),
            language=chosen.persona.language,
            limits=chosen.limits,
            tools=[tool.name for tool in tools],
            prompts=chosen.prompts,
            prices=chosen.told_prices(request.tools),
            knowledge=chosen.packed(tools),
            hidden_words=chosen.hidden_words(self._terms.hidden_words),
            server_time=now,
        )

    async def _channel(self, request: MintRequest, session: Session, now: float) -> tuple[BroadcastGrant | None, str]:
        """Return the channel that is wished for, if any, or why there is none: the talk goes on without."""
        if not request.broadcast or request.continues:
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
