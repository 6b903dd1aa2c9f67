"""The stand-in and our publisher with a client that nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

import aiohttp
import pytest

from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.imageflux import Channel, ImageFlux
from tests.device.sora.sending import grant_for, play
from tests.provisioning.local.imageflux.listening import (
    dbfs,
    download,
    heard,
    loudest_hertz,
    tone,
    wait_for_playlists,
    wait_for_segments,
)

pytestmark = pytest.mark.skipif(find_spec("sora_sdk") is None, reason="sora_sdk has wheels for Python 3.11 only here")


class Child:
    """A running sora_sdk client, as its lines of events."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tells(self, event: str, **details: Any) -> dict[str, Any]:
        """Return the next event of that name whose message has those details."""
        assert self._process.stdout
        async with asyncio.timeout(15):
            while line := await self._process.stdout.readline():
                told: dict[str, Any] = json.loads(line)
                message = told.get("message", {})
                if told["event"] == event and details.items() <= message.items():
                    return told
        raise AssertionError(f"ended without {event}")

    def leave(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()


@asynccontextmanager
async def sdk(channel: Channel, role: str, *hertz: str) -> AsyncIterator[Child]:
    module = "tests.provisioning.local.imageflux.sora_sdk_child"
    arguments = ("-m", module, channel.signalling_url, channel.channel_id, role, *hertz)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe, limit=1 << 20)
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_sends_and_observers_hear_it(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    channel = await service.create_channel()
    async with sdk(channel, "sendonly", "500") as sender:
        offer = (await sender.tells("offer"))["message"]
        for parameter in ("maxplaybackrate=16000", "stereo=0", "sprop-stereo=0", "usedtx=1"):
            assert parameter in offer["sdp"]
        created = await sender.tells("notify", event_type="connection.created")
        assert created["message"]["connection_id"] == offer["connection_id"]
        async with asyncio.timeout(15):
            (found,) = await wait_for_playlists(service, channel.channel_id)
            await wait_for_segments(http, found.url, 2)
        sender.leave()
        stats = (await sender.tells("stats"))["stats"]
        assert next(each for each in stats if each["type"] == "outbound-rtp")["packetsSent"] > 0
        closed = await sender.tells("ws_close")
        assert (closed["code"], closed["reason"]) == (1000, "TYPE-DISCONNECT")
        assert "CLOSE_SUCCEEDED" in (await sender.tells("disconnect"))["code"]
    sound = heard((await download(http, found.url)).sound)[24_000:48_000]
    assert loudest_hertz(sound) == pytest.approx(500, abs=2)
    assert dbfs(sound) == pytest.approx(-12, abs=1)


async def test_it_receives_what_our_publisher_sends(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    channel = await service.create_channel()
    async with sdk(channel, "recvonly") as receiver:
        await receiver.tells("notify", event_type="connection.created", channel_connections=1)
        async with Publisher(grant_for(channel), http=http, settings=BroadcastSettings()) as publisher:
            told = await receiver.tells("notify", event_type="connection.created", channel_connections=2)
            assert told["message"]["connection_id"] == publisher.connection_id
            playing = asyncio.create_task(play(publisher.programme, tone(700, -12, 10)))
            await receiver.tells("heard")
            second = await receiver.tells("heard")
            playing.cancel()
            assert second["hertz"] == pytest.approx(700, abs=2)
            assert second["rms"] == pytest.approx(32_767 * 10 ** (-12 / 20), rel=0.1)
        await receiver.tells("notify", event_type="connection.destroyed")  # the SDK may crash when it leaves after this


async def test_a_killed_client_is_destroyed_for_the_others(service: ImageFlux) -> None:
    channel = await service.create_channel()
    async with sdk(channel, "recvonly") as witness:
        await witness.tells("notify", event_type="connection.created", channel_connections=1)
        async with sdk(channel, "sendonly", "500") as victim:
            await victim.tells("notify", event_type="connection.created")
        destroyed = await witness.tells("notify", event_type="connection.destroyed")
        assert destroyed["message"]["channel_connections"] == 1
