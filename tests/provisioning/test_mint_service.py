from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from device.errors import BrokerError
from device.messages import topics
from provisioning import mint_service as module
from provisioning.mint_service import MintService
from tests.eventually import eventually
from tests.provisioning.minting_bench import Bench, minting_bench


class Broker:
    """Keeps what is published; fails while it is down."""

    def __init__(self) -> None:
        self.published: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.down = False
        self.refused = asyncio.Event()

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.down:
            self.refused.set()
            raise BrokerError("down")
        self.published.put_nowait((topic, payload))

    async def next(self) -> tuple[str, bytes]:
        async with asyncio.timeout(10):
            return await self.published.get()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Bench, MintService, Broker]]:
    async with minting_bench(folder) as bench:
        service, broker = MintService(bench.minter), Broker()
        task = asyncio.create_task(service.run(broker.publish))
        yield bench, service, broker
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_answer_goes_to_the_device_of_the_topic(tmp_path: Path) -> None:
    async with serving(tmp_path) as (bench, service, broker):
        robot = await bench.robot(now=time.time())
        service.deliver(topics.mint_request("robot-1"), robot.request(time.time()))
        topic, data = await broker.next()
        assert topic == topics.mint_answer("robot-1")
        assert robot.grant(data).session == robot.nonce


async def test_what_deserves_no_answer_gets_none(tmp_path: Path) -> None:
    async with serving(tmp_path) as (bench, service, broker):
        robot = await bench.robot(now=time.time())
        service.deliver(topics.mint_request("robot-1"), b"nonsense")
        service.deliver("elsewhere", b"nonsense")
        service.deliver(topics.mint_request("robot-2"), robot.request(time.time()))
        service.deliver(topics.mint_request("robot-1"), robot.request(time.time()))
        await broker.next()
        assert broker.published.empty()


async def test_one_failure_is_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as (bench, service, broker):
        robot = await bench.robot(now=time.time())
        broker.down = True
        service.deliver(topics.mint_request("robot-1"), robot.request(time.time(), broadcast=False))
        async with asyncio.timeout(10):
            await broker.refused.wait()
        broker.down = False
        async with bench.store.transaction() as t:
            await t.sessions.end(robot.nonce, time.time(), "lost")

        def fault(*_args: Any) -> bytes:
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr("provisioning.minting.seal", fault)
            service.deliver(topics.mint_request("robot-1"), robot.request(time.time(), broadcast=False))

            async def logged() -> bool:
                return "could not be served" in caplog.text

            await eventually(logged)
        service.deliver(topics.mint_request("robot-1"), robot.request(time.time(), broadcast=False))
        robot.grant((await broker.next())[1])


async def test_a_full_queue_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    async with minting_bench(tmp_path) as bench:
        service = MintService(bench.minter)
        for _ in range(5):
            service.deliver(topics.mint_request("robot-1"), b"x")
        assert service.dropped == 3
