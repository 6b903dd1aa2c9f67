"""What answers devices on MQTT: takes requests from a shared subscription, answers each on its device's own topic."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from device.errors import BrokerError, MalformedMessageError
from device.messages import topics

_log = logging.getLogger(__name__)

MOST_WAITING: Final = 1000
"""Requests that wait; more are dropped, for their devices will have given up before their turn comes."""

MOST_AT_ONCE: Final = 64
"""Requests served at once; most of their time goes into waiting for the two services."""

Publish = Callable[[str, bytes], Awaitable[None]]


class Answering(Protocol):
    """Who makes the answers: the minter, or who renews certificates."""

    async def answer(self, data: bytes, device: str, now: float) -> bytes | None:
        """Return the answer to what came on the topic of `device`, or None for what deserves none."""


class MintService:
    """Serves what `deliver` is given; answers go to the topic that `topic` names for a device. `run()` it in a task."""

    def __init__(self, minter: Answering, topic: Callable[[str], str] = topics.mint_answer) -> None:
        self._minter, self._topic = minter, topic
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MOST_WAITING)
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self.dropped = 0
        """Requests that found the queue full."""

    def deliver(self, topic: str, payload: bytes) -> None:
        """Take one request."""
        try:
            self._waiting.put_nowait((topics.device_of(topic), payload))
        except asyncio.QueueFull:
            self.dropped += 1
            _log.warning("too many requests; dropped one from %s", topic)
        except MalformedMessageError as error:
            _log.warning("dropped a request: %s", error)

    async def run(self, publish: Publish) -> None:
        """Serve, for ever, and give each answer with its topic to `publish`."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                device, payload = await self._waiting.get()
                group.create_task(self._serve(device, payload, publish), name=f"answer {device}")

    async def _serve(self, device: str, payload: bytes, publish: Publish) -> None:
        try:
            answer = await self._minter.answer(payload, device, time.time())
            if answer is not None:
                await publish(self._topic(device), answer)
        except BrokerError as error:
            _log.warning("the answer to %s was not delivered: %s", device, error)
        except Exception:  # noqa: BLE001 - one request must not end the service for all the others
            _log.exception("a request from %s could not be served", device)
        finally:
            self._slots.release()
