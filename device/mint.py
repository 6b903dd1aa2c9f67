"""Asking the cloud for a session: one signed request, one sealed answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from device.clock import WallClock
from device.errors import MessageError, MintError, MisaddressedError
from device.messages import topics
from device.messages.envelope import MINT_ANSWER, MINT_REQUEST, PublicKey, Signer, open_envelope, seal_envelope
from device.messages.minting import Grant, MintAnswer, MintRequest, Refusal
from device.messages.sealing import OneTimeKey, binding
from device.messages.tools import ToolDeclaration
from device.messages.wire import decode

VALID_SECONDS: Final = 30.0
"""How long a request may be answered; the cloud accepts no longer time."""

WAIT_SECONDS: Final = 12.0
"""How long the robot waits for an answer before it says so."""


SECRET_SECONDS: Final = 3.0
"""How long a secret must still be good, by the cloud's clock: time to make an offer with it."""


class Publish(Protocol):
    """The part of the broker connection that is needed here."""

    def __call__(self, topic: str, payload: bytes, *, within: float | None = None) -> None:
        """Queue a message."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a session should have, as far as the cloud allows."""

    broadcast: bool
    tools: Sequence[ToolDeclaration]


class MintClient:
    """One device's side of minting; answers come in through `take`."""

    def __init__(
        self, device: str, signer: Signer, find_mint_key: Callable[[str], PublicKey | None], clock: WallClock
    ) -> None:
        self._device = device
        self._signer = signer
        self._find_mint_key = find_mint_key
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[MintAnswer]] = {}

    async def mint(
        self,
        session: str,
        reason: str,
        publish: Publish,
        *,
        broadcast: bool,
        tools: Sequence[ToolDeclaration] = (),
    ) -> Grant:
        """Return the grant for `session`, a fresh nonce of 32 hex digits; `tools` are what the model could call here.

        A clock that is off is set by the cloud's and the request made once more.

        Raises:
            MintError: refused, with the cloud's code; `broker` when no answer came in time or it does not open; `UPSTREAM`
            when its secret is as good as over.
        """
        key = OneTimeKey()
        wishes = Wishes(broadcast, tools)
        answer = await self._ask(session, reason, key, publish, wishes)
        if answer.refusal is Refusal.CLOCK_SKEW:
            answer = await self._ask(session, reason, key, publish, wishes)
        if answer.refusal is not None:
            raise MintError(answer.refusal, answer.text, answer.retry_after)
        try:
            grant = decode(key.open(answer.sealed, binding(self._device, session)), Grant)
        except MessageError as error:
            raise MintError("broker", f"the grant does not open: {error}") from error
        left = grant.openai.expires_at - self._clock.now()
        if left < SECRET_SECONDS:
            raise MintError(Refusal.UPSTREAM, f"the secret can be used for {left:.0f} s only")
        return grant

    async def _ask(self, session: str, reason: str, key: OneTimeKey, publish: Publish, wishes: Wishes) -> MintAnswer:
        now = self._clock.now()
        request = MintRequest(
            device=self._device,
            nonce=session,
            issued_at=now,
            expires_at=now + VALID_SECONDS,
            reason=reason,
            reply_key=key.public,
            broadcast=wishes.broadcast,
            tools=list(wishes.tools),
        )
        waiting: asyncio.Future[MintAnswer] = asyncio.get_running_loop().create_future()
        self._waiting[session] = waiting
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                publish(
                    topics.mint_request(self._device),
                    seal_envelope(MINT_REQUEST, request, self._signer),
                    within=WAIT_SECONDS,
                )
                return await waiting
        except TimeoutError:
            raise MintError("broker", f"no answer from the cloud within {WAIT_SECONDS:.0f} s") from None
        finally:
            del self._waiting[session]

    def take(self, payload: bytes) -> None:
        """Take an answer that arrived on this device's answer topic; one that nobody waits for any more does nothing.

        A broker that keeps an old answer and brings it later could otherwise turn the clock back with it, and have an
        order obeyed that has long expired.

        Raises:
            MessageError: it is not ours, not the minter's, or not an answer; nobody is woken by it.
        """
        answer = decode(open_envelope(MINT_ANSWER, payload, self._find_mint_key), MintAnswer)
        if answer.device != self._device:
            raise MisaddressedError(f"an answer for {answer.device[:64]!r}")
        waiting = self._waiting.get(answer.nonce)
        if waiting is not None and not waiting.done():
            self._clock.correct(answer.server_time)
            waiting.set_result(answer)
