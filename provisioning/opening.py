"""How a robot is given a call: by a secret with which it opens one, or by the answer to its offer.

The second way is experimental. It needs no more of the service than the unified interface (`POST /v1/realtime/calls` with
the account's key), or Live sessions (`POST /v1/live/sessions`), which are opened in no other way; and no key, not even one
of short life, leaves the cloud. The store knows the call before its robot does. One that is not granted after all is hung
up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from device.errors import MessageError
from device.messages.minting import AnsweredCall, OpenAIGrant
from provisioning.openai import Called, OpenAI

ANSWERED_SECONDS: Final = 30.0
"""How long after its answer a call may be waited for; the service does not say, and robots connect within a second."""

Note = Callable[[str], Awaitable[str | None]]
"""Notes a call by its id, and returns one that must be hung up: this very one if its session is over."""


class CallOpening(Protocol):
    """One of the ways in which a robot is given a call."""

    async def open(self, session: Mapping[str, Any]) -> OpenAIGrant:
        """Return what opens one call with this session; whatever comes of it, `take_back` leaves nothing open.

        Raises:
            OpenAIError: there is none.
            StoreError: it could not be noted.
            MessageError: the session has ended meanwhile.
        """

    async def take_back(self) -> None:
        """Leave nothing open that has been opened: nobody will be granted it."""


class BySecret:
    """The robot gets a secret that opens calls for some seconds; one that is not used opens nothing."""

    def __init__(self, openai: OpenAI) -> None:
        self._openai = openai

    async def open(self, session: Mapping[str, Any]) -> OpenAIGrant:
        """Make a secret."""
        return await self._openai.grant(session)

    async def take_back(self) -> None:
        """Do nothing: it has not been told to anybody, and is soon over."""


class ByAnswer:
    """The call is opened here, with what the robot has offered, and the robot gets the answer."""

    live = False

    def __init__(self, openai: OpenAI, offer: str, note: Note, now: float) -> None:
        self._openai, self._offer, self._note, self._now = openai, offer, note, now
        self.call_id = ""
        """The call, once it has been opened."""

    async def _call(self, session: Mapping[str, Any]) -> Called:
        return await self._openai.call(session, self._offer)

    def _model(self, session: Mapping[str, Any]) -> str:
        """Return by which model the call is billed."""
        return str(session["model"])

    async def open(self, session: Mapping[str, Any]) -> OpenAIGrant:
        """Open the call, and note it."""
        called = await self._called(session)
        await self._noted(called)
        answered = AnsweredCall(sdp=called.sdp, call_id=called.call_id, live=self.live)
        return OpenAIGrant(expires_at=self._now + ANSWERED_SECONDS, model=self._model(session), answered=answered)

    async def _called(self, session: Mapping[str, Any]) -> Called:
        """Open the call; if nobody wants it any more meanwhile, still learn whether there is one, and hang it up."""
        asking = asyncio.create_task(self._call(session), name="open a call")
        try:
            called = await asyncio.shield(asking)
        except asyncio.CancelledError:
            await asyncio.wait({asking})
            if not asking.cancelled() and not asking.exception():
                await self._openai.drop(asking.result().call_id)
            raise
        self.call_id = called.call_id
        return called

    async def _noted(self, called: Called) -> None:
        surplus = await self._note(called.call_id)
        if surplus == called.call_id:
            raise MessageError("its session was over before its call was answered")
        if surplus:
            await self._openai.drop(surplus)

    async def take_back(self) -> None:
        """Hang up, if there is a call."""
        if self.call_id:
            await self._openai.drop(self.call_id)


class ByLive(ByAnswer):
    """The same, but the call is a Live session."""

    live = True

    async def _call(self, session: Mapping[str, Any]) -> Called:
        return await self._openai.live(session, self._offer)

    def _model(self, session: Mapping[str, Any]) -> str:
        return f"{session['model']}+{session['delegation']['responses']['model']}"
