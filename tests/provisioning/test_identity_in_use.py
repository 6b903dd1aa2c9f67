"""Identities over a real broker and the whole cloud: renewed by a device that does it as boards do, and used twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from device.clock import WallClock
from device.identity import Identity
from device.messages import topics
from device.messages.reports import Lifecycle
from device.mint import MintClient
from device.mqtt import Broker, Incoming, Presence
from device.renewal import Renewal, RenewalClient
from device.succession import ReplaceableSigner, Succession
from provisioning.alarms import QUARREL
from provisioning.clones import LOSSES
from tests.eventually import eventually
from tests.provisioning.site import site


class Board:
    """What a robot has between its broker and its disk."""

    def __init__(self, folder: Path) -> None:
        identity, clock = Identity.load(folder, time.time()), WallClock()
        self.device = identity.device
        self.signer, self.at_rest = ReplaceableSigner(identity.signer), asyncio.Event()
        self.broker = Broker(_presence(identity))
        self.minter = MintClient(self.device, self.signer, identity.mint_key, clock)
        self._renewals = RenewalClient(self.device, identity.mint_key, clock)
        self.renewal = Renewal(
            identity,
            self.signer,
            Succession(folder),
            self._renewals,
            self.broker,
            lambda successor: self.broker.change(_presence(successor)),
            self.at_rest,
            clock,
        )

    def take(self, message: Incoming) -> None:
        taker = self.minter if message.topic == topics.mint_answer(self.device) else self._renewals
        taker.take(message.payload)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        works = (self.broker.run(self.take, lambda _up: None), self.renewal.run())
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(work) for work in works]
        try:
            async with asyncio.timeout(20):
                yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def _presence(identity: Identity) -> Presence:
    heard = (topics.mint_answer(identity.device), topics.renewal_answer(identity.device))
    return Presence(identity.broker, identity.device, identity.tls_context(), topics.state(identity.device), b"", heard)


async def test_a_robot_renews_over_the_broker_at_rest_and_talks_before_and_after(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        board = Board(await here.enrolled_long_ago("robot-1"))
        before = board.renewal.present.certificate

        async def two() -> bool:
            return len(await here.certificates("robot-1")) == 2

        async def new_alone() -> bool:
            return before.serial_number not in await here.certificates("robot-1")

        async with board.running():
            await eventually(two)
            grant = await board.minter.mint("a" * 32, "button", board.broker.publish, broadcast=False)
            async with here.cloud.store.transaction() as t:
                await t.sessions.end(grant.session, time.time(), "done")
            assert board.renewal.present.certificate == before
            board.at_rest.set()
            await eventually(new_alone)
            after = await board.minter.mint("b" * 32, "button", board.broker.publish, broadcast=False)
            assert after.session == "b" * 32
        assert await here.certificates("robot-1") == [board.renewal.present.certificate.serial_number]


async def test_a_certificate_used_from_two_places_is_noticed(tmp_path: Path) -> None:
    async with site(tmp_path) as here, AsyncExitStack() as places:
        identity = await here.enrolled("robot-1")
        for _ in range(LOSSES + 1):  # each throws out the one before it
            board = await places.enter_async_context(here.board("robot-1", identity))
            await board.state(lifecycle=Lifecycle.READY)

        async def alarm() -> str | None:
            async with here.cloud.store.transaction() as t:
                device = await t.devices.find("robot-1")
            return device.alarm if device else None

        assert await eventually(alarm) == QUARREL
        async with here.cloud.store.transaction() as t:
            actions = [entry.action async for entry in t.audit.entries()]
        assert actions.count("clone_alarm") == 1
