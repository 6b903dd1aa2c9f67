"""A broker of one's own that goes on with an old list: a revoked robot is thrown out all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from device.identity import Identity
from device.messages import topics
from device.messages.reports import CallAnswered, DeviceState, Lifecycle, Metrics
from device.messages.wire import encode
from provisioning.app import open_authority, running
from provisioning.link import BrokerEndpoint, connection
from provisioning.local.imageflux.server import ImageFluxStandIn
from provisioning.mosquitto import MosquittoProcess
from provisioning.revocation import revoke
from provisioning.settings import BrokerSettings, replaced
from tests.provisioning.realtime_service import realtime_service
from tests.provisioning.site import Site, cloud_settings


@asynccontextmanager
async def own_broker(folder: Path) -> AsyncIterator[Site]:
    """Run a cloud beside a broker that nobody has read its files again."""
    async with realtime_service() as realtime, ImageFluxStandIn() as stand_in:
        settings = cloud_settings(folder, realtime, stand_in)
        authority = open_authority(settings, time.time())
        async with MosquittoProcess(authority, folder / "broker") as broker:
            settings = replaced(settings, broker=BrokerSettings(port=broker.endpoint.port))
            async with running(settings) as cloud:
                async with asyncio.timeout(10):
                    await cloud.connected.wait()
                yield Site(cloud, realtime, stand_in, settings, folder / "boards")


async def revoked(here: Site, identity: Identity) -> None:
    """Be revoked while connected, and be thrown out."""
    async with asyncio.timeout(10), here.board(identity=identity) as board:
        await board.state()
        await revoke(here.cloud.store, here.cloud.authority, "robot-1", time.time(), "admin")
        await anext(board.client.messages)


async def thrown_out(identity: Identity, topic: str, said: bytes) -> None:
    """Connect, say something, and be thrown out, perhaps before that is acknowledged."""
    where = BrokerEndpoint(identity.broker.host, identity.broker.port)
    async with asyncio.timeout(10), connection(where, identity.device, identity.tls_context()) as client:
        await client.publish(topic, said, qos=0)  # and nothing to be waited for: it may be out before any answer
        await anext(client.messages)


CARD = topics.state("robot-1"), encode(DeviceState(device="robot-1", lifecycle=Lifecycle.INIT))
CALL = topics.event("robot-1"), encode(CallAnswered(session="s", at=1.0, call_id="rtc_1"))
NUMBERS = topics.metrics("robot-1"), encode(Metrics(at=1.0))


async def test_a_revoked_robot_is_thrown_out_of_another_s_broker_as_often_as_it_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.revocation.LOOK_SECONDS", 0.02)
    async with own_broker(tmp_path) as here:
        identity = await here.enrolled("robot-1")
        with pytest.raises(aiomqtt.MqttError):
            await revoked(here, identity)
        for said in (CARD, CALL, NUMBERS):
            with pytest.raises(aiomqtt.MqttError):
                await thrown_out(identity, *said)
        async with here.board("robot-2") as other:
            await other.state()
            await other.mint()
