from __future__ import annotations

import asyncio
import time

import pytest

from device.errors import BrokerError
from device.messages import topics
from provisioning.authority import MINTER
from provisioning.link import BrokerEndpoint, Link, _heed_cancellation
from tests.mosquitto import Fleet


class Inbox:
    """Keeps what is delivered."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    def deliver(self, topic: str, payload: bytes) -> None:
        self.messages.put_nowait((topic, payload))

    async def next(self) -> tuple[str, bytes]:
        async with asyncio.timeout(10):
            return await self.messages.get()


def link(fleet: Fleet, inbox: Inbox, endpoint: BrokerEndpoint | None = None) -> Link:
    tls = fleet.authority.client_context(fleet.authority.service(MINTER, time.time()))
    handlers = {topics.MINTERS: inbox.deliver, topics.EVERY_STATE: inbox.deliver}
    return Link(endpoint or fleet.broker.endpoint, MINTER, tls, handlers)


async def test_a_link_delivers_publishes_and_comes_back(fleet: Fleet) -> None:
    inbox = Inbox()
    lasting = link(fleet, inbox)
    task = asyncio.create_task(lasting.run())
    board = fleet.board("robot-1")
    async with asyncio.timeout(10):
        await lasting.connected.wait()
    async with board.connect() as device:
        await device.subscribe(topics.mint_answer("robot-1"), qos=1)
        await device.publish(topics.mint_request("robot-1"), b"request", qos=1)
        assert await inbox.next() == (topics.mint_request("robot-1"), b"request")
        await lasting.publish(topics.mint_answer("robot-1"), b"answer")
        async with asyncio.timeout(10):
            assert (await anext(device.messages)).payload == b"answer"
    await fleet.broker.restart()
    async with board.connect() as device:
        await device.publish(topics.state("robot-1"), b"state", qos=1, retain=True)
        assert await inbox.next() == (topics.state("robot-1"), b"state")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not lasting.connected.is_set()


async def test_a_cancellation_that_was_swallowed_is_heeded() -> None:
    asleep = asyncio.Event()

    async def swallow() -> None:
        try:
            asleep.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            _heed_cancellation()
        raise AssertionError("went on")

    task = asyncio.create_task(swallow())
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _heed_cancellation()


async def test_without_a_broker_publishing_fails_in_time(fleet: Fleet) -> None:
    nowhere = link(fleet, Inbox(), BrokerEndpoint("127.0.0.1", 9))
    task = asyncio.create_task(nowhere.run())
    with pytest.raises(BrokerError, match="no answer from the broker"):
        await nowhere.publish("x", b"", within=0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
