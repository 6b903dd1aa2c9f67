"""The whole cloud with its two services stood in for, and robots that speak to it as robots do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
from cryptography.hazmat.primitives.asymmetric import ec

from device.enrol import enrol
from device.identity import Identity, certificate_request, keep_enrolment, keep_key
from device.messages import topics
from device.messages.commands import Command, CommandStatus, Step
from device.messages.enrolment import EnrolRequest
from device.messages.envelope import COMMAND, open_envelope
from device.messages.minting import Grant, MintAnswer
from device.messages.reports import DeviceState, Event, Lifecycle
from device.messages.wire import decode, encode
from provisioning.app import Cloud, running
from provisioning.link import BrokerEndpoint, connection
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.settings import (
    BrokerSettings,
    CloudSettings,
    EnrolSettings,
    ImageFluxSettings,
    LimitSettings,
    WebSettings,
)
from tests.provisioning.minting_bench import Robot
from tests.provisioning.realtime_service import RealtimeService, realtime_service

LONG_AGO = time.time() - 46 * 86_400.0
"""So that more than three quarters of a certificate of 60 days are over."""


class Board:
    """One robot on the broker; what it is told arrives in its inbox."""

    def __init__(self, identity: Identity, client: aiomqtt.Client) -> None:
        self.identity, self.client = identity, client
        enrolment = identity.enrolment
        self.robot = Robot(identity.device, identity.files.load_key(), enrolment.mint_kid, enrolment.mint_key)

    async def next_message(self) -> tuple[str, bytes]:
        async with asyncio.timeout(10):
            message = await anext(self.client.messages)
        return str(message.topic), message.payload

    async def ask(self, **changes: Any) -> bytes:
        """Ask for a session and return the answer as it came."""
        return await self.ask_with(self.robot.request(time.time(), **changes))

    async def ask_with(self, request: bytes) -> bytes:
        """Publish these bytes as a request and return the answer."""
        await self.client.publish(topics.mint_request(self.identity.device), request, qos=1)
        topic, payload = await self.next_message()
        assert topic == topics.mint_answer(self.identity.device)
        return payload

    async def mint(self) -> Grant:
        """Ask for a session and open the grant."""
        return self.robot.grant(await self.ask())

    async def answer(self) -> MintAnswer:
        """Ask for a session and return the verified answer."""
        return self.robot.answer(await self.ask())

    async def state(self, session: str | None = None, lifecycle: Lifecycle = Lifecycle.READY, **more: Any) -> None:
        """Publish the retained card."""
        state = DeviceState(device=self.identity.device, lifecycle=lifecycle, session=session, **more)
        await self.client.publish(topics.state(self.identity.device), encode(state), qos=1, retain=True)

    async def event(self, event: Event) -> None:
        """Publish something that happened."""
        await self.client.publish(topics.event(self.identity.device), encode(event), qos=1)

    async def command(self) -> Command:
        """Wait for a command and verify it as a robot must."""
        topic, payload = await self.next_message()
        assert topic == topics.command(self.identity.device)
        return decode(open_envelope(COMMAND, payload, self.identity.operator_key), Command)

    async def step(self, command: Command, step: Step, reason: str = "") -> None:
        """Tell how far a command has come."""
        status = CommandStatus(id=command.id, device=command.device, step=step, at=time.time(), reason=reason)
        await self.client.publish(topics.command_status(command.device, command.id), encode(status), qos=1)


@dataclass
class Site:
    """Everything that runs."""

    cloud: Cloud
    realtime: RealtimeService
    imageflux: ImageFluxStandIn
    settings: CloudSettings
    folder: Path

    async def enrolled(self, name: str) -> Identity:
        """Enrol a board over HTTPS."""
        return await self.enrolled_by(await self.cloud.claim(device=name), name)

    async def enrolled_by(self, claim: str, name: str) -> Identity:
        """Enrol a board with a claim that was made for it."""
        async with aiohttp.ClientSession() as http:
            await enrol(claim, self.folder / name, http)
        return Identity.load(self.folder / name, time.time())

    async def enrolled_long_ago(self, name: str) -> Path:
        """Return the state folder of a board whose certificate is due for renewal."""
        folder, key = self.folder / name, ec.generate_private_key(ec.SECP256R1())
        claim = await self.cloud.enrolments.new_claim("here", LONG_AGO, 60, device=name)
        request = EnrolRequest(code=claim.code, csr=certificate_request(key))
        enrolment = await self.cloud.enrolments.enrol(request, LONG_AGO)
        async with self.cloud.store.transaction() as t:
            await t.devices.activate(name, LONG_AGO)
        keep_key(folder, key)
        keep_enrolment(folder, enrolment)
        return folder

    async def certificates(self, name: str) -> list[int]:
        """Return the serial numbers of a board's certificates that are in force."""
        async with self.cloud.store.transaction() as t:
            standing = await t.devices.standing(name)
        return [int(held.serial, 16) for held in standing.in_force] if standing else []

    @asynccontextmanager
    async def board(self, name: str = "robot-1", identity: Identity | None = None) -> AsyncIterator[Board]:
        """Enrol a board, unless it is, and connect it, with its Last Will and its subscriptions."""
        who = identity or await self.enrolled(name)
        lost = DeviceState(device=who.device, lifecycle=Lifecycle.LOST)
        will = aiomqtt.Will(topics.state(who.device), encode(lost), qos=1, retain=True)
        where = BrokerEndpoint(who.broker.host, who.broker.port)
        async with connection(where, who.device, who.tls_context(), will=will) as client:
            await client.subscribe([(topics.mint_answer(who.device), 1), (topics.command(who.device), 1)])
            yield Board(who, client)


def cloud_settings(folder: Path, realtime: RealtimeService, stand_in: ImageFluxStandIn, **limits: Any) -> CloudSettings:
    """Return settings for free ports on this computer, and these two services."""
    return CloudSettings(
        state_dir=str(folder / "cloud"),
        enrol=EnrolSettings(port=0),
        web=WebSettings(port=0),
        broker=BrokerSettings(port=0, spawn=True),
        openai=realtime.settings(timeout_seconds=1.0),
        imageflux=ImageFluxSettings(url=stand_in.api_url, token=stand_in.settings.token),
        limits=LimitSettings(**limits),
    )


@asynccontextmanager
async def site(folder: Path, **limits: Any) -> AsyncIterator[Site]:
    """Run it all; `limits` change what robots may use."""
    async with realtime_service() as realtime, ImageFluxStandIn() as stand_in:
        settings = cloud_settings(folder, realtime, stand_in, **limits)
        async with running(settings) as cloud:
            async with asyncio.timeout(10):
                await cloud.connected.wait()
            yield Site(cloud, realtime, stand_in, settings, folder / "boards")
