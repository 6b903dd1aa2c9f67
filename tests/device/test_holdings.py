"""What a session holds: whatever breaks in it, the robot goes on and gives everything back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from device import holdings as module
from device import phase as p
from device.audio.echo import NoEchoControl
from device.clock import WallClock
from device.errors import CodecError
from device.holdings import Equipment, Holdings
from device.messages.enrolment import BrokerAddress
from device.messages.envelope import KeySigner
from device.messages.minting import Grant
from device.mint import MintClient
from device.mqtt import Broker, Presence
from device.outlet import Outlet
from device.realtime.settings import RealtimeSettings
from device.sora.settings import BroadcastSettings
from device.voice import VoicePath
from provisioning.local.realtime import HttpFault, RealtimeStandIn, StandInSettings
from tests.device.audio.speaker import RingSpeaker
from tests.device.realtime.handset import mint
from tests.device.test_mint import DEVICE_KEY, find

SESSION = "ab" * 16


@dataclass(slots=True)
class Bench:
    """Holdings with all they are made with; nobody answers at the broker."""

    holdings: Holdings
    voice: VoicePath
    service: RealtimeStandIn
    grant: Grant
    posted: asyncio.Queue[p.Event]

    async def next(self) -> p.Event:
        async with asyncio.timeout(10):
            return await self.posted.get()

    async def released(self) -> None:
        self.holdings.release(SESSION)
        while (event := await self.next()) != p.Released(SESSION):
            assert isinstance(event, p.CallLost)


@asynccontextmanager
async def bench(settings: RealtimeSettings | None = None) -> AsyncIterator[Bench]:
    async with (
        RealtimeStandIn(StandInSettings()) as service,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as tasks,
    ):
        nobody = BrokerAddress(host="127.0.0.1", port=1)
        broker = Broker(Presence(nobody, "robot", ssl.create_default_context(), "will", b""))
        clock, voice = WallClock(), VoicePath(NoEchoControl(), RingSpeaker())
        minter = MintClient("robot", KeySigner("robot", DEVICE_KEY), find, clock)
        outlet = Outlet("robot", broker, clock)
        own = Equipment(voice, minter, broker, outlet, http, settings or RealtimeSettings(), BroadcastSettings())
        posted: asyncio.Queue[p.Event] = asyncio.Queue()
        holdings = Holdings(own, tasks, posted.put_nowait)
        grant = Grant(session=SESSION, openai=await mint(service, http))
        yield Bench(holdings, voice, service, grant, posted)


async def asked(ready: Bench, monkeypatch: pytest.MonkeyPatch) -> p.Event:
    """Ask for the session where no broker is, and return the answer."""
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.0)
    ready.holdings.mint(SESSION, "button")
    return await ready.next()


async def test_without_a_broker_nothing_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as ready:
        assert await asked(ready, monkeypatch) == p.Refused(SESSION, "broker", "no connection to the cloud")
        await ready.released()
        assert ready.holdings.usage(SESSION) == {"responses": 0}
        assert ready.holdings.usage(SESSION) == {}, "it is told once"


async def test_a_call_carries_both_voices_until_it_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as ready:
        await asked(ready, monkeypatch)
        ready.holdings.call(SESSION, ready.grant)
        assert await ready.next() == p.CallUp(SESSION)
        assert ready.voice.uplink is not None
        assert ready.voice.source is not None
        assert [(beat.session, beat.usage) for beat in ready.holdings.going_on()] == [(SESSION, {"responses": 0})]
        await ready.released()
        assert ready.voice.uplink is None
        assert ready.voice.source is None


async def test_a_call_that_breaks_in_an_unforeseen_way_is_a_lost_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_arguments: object) -> None:
        raise CodecError("libopus.so.0 is missing")

    async with bench() as ready:
        await asked(ready, monkeypatch)
        monkeypatch.setattr("device.realtime.call.OpusSender", missing)
        ready.holdings.call(SESSION, ready.grant)
        assert await ready.next() == p.CallLost(SESSION, "call", "failed: CodecError")
        await ready.released()


@pytest.mark.parametrize(
    ("fault", "code"), [(HttpFault.SERVER_ERROR, "upstream"), (HttpFault.MALFORMED_SDP, "upstream"), (None, "media")]
)
async def test_each_kind_of_failure_has_its_code(
    monkeypatch: pytest.MonkeyPatch, fault: HttpFault | None, code: str
) -> None:
    async with bench(RealtimeSettings(media_seconds=0.2)) as ready:
        await asked(ready, monkeypatch)
        ready.service.faults.calls = fault
        ready.service.faults.loss = 1.0
        ready.holdings.call(SESSION, ready.grant)
        lost = await ready.next()
        assert isinstance(lost, p.CallLost)
        assert lost.code == code
        await ready.released()
