"""How the offer of a call comes by its answer: posted with a secret, or carried by the cloud, with the request and the grant."""

from __future__ import annotations

from typing import Protocol

import aiohttp

from device.messages.minting import AnsweredCall, OpenAIGrant
from device.realtime.live.talk import LiveTalk
from device.realtime.offer import Answer, checked, exchange
from device.realtime.talk import Talk
from device.realtime.turn_talk import TurnTalk


class CallOpening(Protocol):
    """One of the ways in which a call is opened."""

    async def answer(self, offer: str) -> Answer:
        """Return the service's answer to `offer`.

        Raises:
            UpstreamError: there is none, or it is no SDP.
        """


class Posted:
    """The robot offers the call itself, with the secret of its grant."""

    def __init__(self, grant: OpenAIGrant, http: aiohttp.ClientSession, seconds: float) -> None:
        self._grant, self._http, self._seconds = grant, http, seconds

    async def answer(self, offer: str) -> Answer:
        """Post the offer, and return what comes within the time."""
        return await exchange(self._http, self._grant, offer, self._seconds)


class Carried:
    """The cloud has offered the call with the long-lived key, and its grant has the answer to the offer of the request."""

    def __init__(self, answered: AnsweredCall) -> None:
        self._answered = answered

    async def answer(self, offer: str) -> Answer:  # noqa: ARG002 - what was offered went with the request
        """Return what the grant has."""
        return checked(self._answered.sdp.reveal(), self._answered.call_id, 201)


def opening(grant: OpenAIGrant, http: aiohttp.ClientSession, seconds: float) -> CallOpening:
    """Return the way in which `grant` opens a call; posting takes `seconds` at most."""
    if grant.answered is not None:
        return Carried(grant.answered)
    return Posted(grant, http, seconds)


def talk(grant: OpenAIGrant) -> Talk:
    """Return what reads the events of the call that `grant` opens."""
    return LiveTalk() if grant.answered is not None and grant.answered.live else TurnTalk()
