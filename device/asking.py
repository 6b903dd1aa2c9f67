"""Asking the cloud over MQTT: a request goes out on one topic, its answer comes in on another, and a nonce joins them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from device.clock import WallClock
from device.errors import MisaddressedError
from device.messages.envelope import PublicKey, open_envelope
from device.messages.wire import decode


class Publish(Protocol):
    """The part of the broker connection that is needed here."""

    def __call__(self, topic: str, payload: bytes, *, within: float | None = None) -> None:
        """Queue a message."""


class Answer(Protocol):
    """What every answer of the cloud says."""

    @property
    def device(self) -> str:
        """For whom it is."""

    @property
    def nonce(self) -> str:
        """Of the request that it answers."""

    @property
    def server_time(self) -> float:
        """Unix seconds by the cloud's clock."""


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class Kind(Generic[A]):
    """One kind of answer: what its envelope says it is for, and what is in it."""

    purpose: str
    type: type[A]


class Asking(Generic[A]):
    """The requests of one kind that this device waits for answers to; answers come in through `take`."""

    def __init__(
        self, device: str, kind: Kind[A], find_mint_key: Callable[[str], PublicKey | None], clock: WallClock
    ) -> None:
        self._device, self._kind, self._find_mint_key, self._clock = device, kind, find_mint_key, clock
        self._waiting: dict[str, asyncio.Future[A]] = {}

    async def answer(
        self, nonce: str, topic: str, sealed: bytes, publish: Publish, seconds: float, *, again: float | None = None
    ) -> A:
        """Publish the sealed request and return the answer to its `nonce`, waited for `seconds` at most.

        The same bytes are published again every `again` seconds: whoever had taken the request up may have ended.

        Raises:
            TimeoutError: none came.
        """
        waiting: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting[nonce] = waiting
        try:
            async with asyncio.timeout(seconds):
                while not waiting.done():
                    publish(topic, sealed, within=again or seconds)
                    await asyncio.wait([waiting], timeout=again)
                return waiting.result()
        finally:
            del self._waiting[nonce]

    def take(self, payload: bytes) -> None:
        """Take an answer that arrived on this device's topic; one that nobody waits for any more does nothing.

        A broker that keeps an old answer and brings it later could otherwise turn the clock back with it, and have an
        order obeyed that has long expired.

        Raises:
            MessageError: it is not ours, not the minter's, or not an answer; nobody is woken by it.
        """
        answer = decode(open_envelope(self._kind.purpose, payload, self._find_mint_key), self._kind.type)
        if answer.device != self._device:
            raise MisaddressedError(f"an answer for {answer.device[:64]!r}")
        waiting = self._waiting.get(answer.nonce)
        if waiting is not None and not waiting.done():
            self._clock.correct(answer.server_time)
            waiting.set_result(answer)
