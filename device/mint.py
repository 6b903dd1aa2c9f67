"""Asking the cloud for a session: one signed request, one sealed answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from device.asking import Asking, Kind, Publish
from device.clock import WallClock
from device.errors import MalformedMessageError, MessageError, MintError
from device.messages import topics
from device.messages.envelope import MINT_ANSWER, MINT_REQUEST, PublicKey, Signer, seal_envelope
from device.messages.minting import Grant, MintAnswer, MintRequest, Refusal
from device.messages.sealing import OneTimeKey, binding, offer_binding, seal, sealing_key
from device.messages.tools import ToolDeclaration
from device.messages.wire import decode

VALID_SECONDS: Final = 30.0
"""How long a request may be answered; the cloud accepts no longer time."""

WAIT_SECONDS: Final = 12.0
"""How long the robot waits for an answer before it says so."""

AGAIN_SECONDS: Final = 3.0
"""How often it asks again meanwhile: a minter that was killed answers nothing, and another knows whether it was."""

SECRET_SECONDS: Final = 3.0
"""How long a secret must still be good, by the cloud's clock: time to make an offer with it."""

ACCOUNTS_KEY: Final = "sk-"
"""How a key that opens the whole account begins; secrets of calls begin with `ek_`."""

RENEWAL: Final = "renewal"
"""The reason of a request with which a session goes on."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a session should have, as far as the cloud allows."""

    broadcast: bool
    tools: Sequence[ToolDeclaration]
    archive: bool = False
    continues: str = ""
    """The session that goes on, where no new one is wished for."""
    offer: str = field(default="", repr=False)
    """The SDP offer that the cloud may open the call with; none where the robot opens it itself."""


class MintClient:
    """One device's side of minting; answers come in through `take`.

    `mint_key` is the minter's, which `find_mint_key` finds, too: offers are sealed to it.
    """

    def __init__(
        self,
        device: str,
        signer: Signer,
        find_mint_key: Callable[[str], PublicKey | None],
        clock: WallClock,
        mint_key: PublicKey | None = None,
    ) -> None:
        self._mint_key = mint_key
        self._device, self._signer, self._clock = device, signer, clock
        self._asking = Asking(device, Kind(MINT_ANSWER, MintAnswer), find_mint_key, clock)

    async def mint(
        self,
        session: str,
        reason: str,
        publish: Publish,
        *,
        broadcast: bool,
        tools: Sequence[ToolDeclaration] = (),
        archive: bool = False,
        offer: str = "",
    ) -> Grant:
        """Return the grant for `session`, a fresh nonce of 32 hex digits; `tools` are what the model could call here.

        With `archive`, those who talk have agreed that the broadcast is kept; with an `offer`, the cloud may open the call.

        A clock that is off is set by the cloud's and the request made once more.

        Raises:
            MintError: refused, with the cloud's code; `broker` when no answer came in time or it does not open; `UPSTREAM`
            when its secret is as good as over, or none that a robot may hold.
        """
        return await self._granted(session, reason, publish, Wishes(broadcast, tools, archive, offer=offer))

    async def renew(
        self, session: str, publish: Publish, *, tools: Sequence[ToolDeclaration] = (), offer: str = ""
    ) -> Grant:
        """Return a grant with which `session` goes on with another call; its `tools` are those of its first request.

        Raises:
            MintError: as `mint`.
        """
        wishes = Wishes(False, tools, continues=session, offer=offer)
        return await self._granted(secrets.token_hex(16), RENEWAL, publish, wishes)

    async def _granted(self, nonce: str, reason: str, publish: Publish, wishes: Wishes) -> Grant:
        key = OneTimeKey()
        answer = await self._ask(nonce, reason, key, publish, wishes)
        if answer.refusal is Refusal.CLOCK_SKEW:
            answer = await self._ask(nonce, reason, key, publish, wishes)
        if answer.refusal is not None:
            raise MintError(answer.refusal, answer.text, answer.retry_after)
        try:
            grant = decode(key.open(answer.sealed, binding(self._device, nonce)), Grant)
        except MessageError as error:
            raise MintError("broker", f"the grant does not open: {error}") from error
        self._check(grant)
        return grant

    def _check(self, grant: Grant) -> None:
        left = grant.openai.expires_at - self._clock.now()
        if left < SECRET_SECONDS:
            raise MintError(Refusal.UPSTREAM, f"the secret can be used for {left:.0f} s only")
        if grant.openai.secret.reveal().startswith(ACCOUNTS_KEY):
            raise MintError(
                Refusal.UPSTREAM, "the cloud sent the account's own key in the place of a call's; it is not used"
            )

    async def _ask(self, nonce: str, reason: str, key: OneTimeKey, publish: Publish, wishes: Wishes) -> MintAnswer:
        now = self._clock.now()
        request = MintRequest(
            device=self._device,
            nonce=nonce,
            issued_at=now,
            expires_at=now + VALID_SECONDS,
            reason=reason,
            reply_key=key.public,
            broadcast=wishes.broadcast,
            tools=list(wishes.tools),
            continues=wishes.continues,
            archive=wishes.archive,
            offer=self._sealed(wishes.offer, nonce),
        )
        sealed, topic = seal_envelope(MINT_REQUEST, request, self._signer), topics.mint_request(self._device)
        try:
            return await self._asking.answer(nonce, topic, sealed, publish, WAIT_SECONDS, again=AGAIN_SECONDS)
        except TimeoutError:
            raise MintError("broker", f"no answer from the cloud within {WAIT_SECONDS:.0f} s") from None

    def _sealed(self, offer: str, nonce: str) -> bytes:
        try:
            return (
                seal(offer.encode(), sealing_key(self._mint_key), offer_binding(self._device, nonce)) if offer else b""
            )
        except MalformedMessageError as error:
            raise MintError("broker", f"the offer cannot be sealed to the cloud: {error}") from None

    def take(self, payload: bytes) -> None:
        """Take an answer that arrived on this device's answer topic.

        Raises:
            MessageError: as `Asking.take`.
        """
        self._asking.take(payload)
