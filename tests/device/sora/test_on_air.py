from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from device.messages.minting import BroadcastGrant
from device.sora.on_air import keep_on_air
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn, StandInSettings
from tests.device.sora.sending import grant_for, send
from tests.device.test_memory import SESSIONS, alive
from tests.provisioning.local.imageflux.listening import (
    dbfs,
    download,
    heard,
    tone,
    wait_for_playlists,
    wait_for_segments,
)

SETTINGS = BroadcastSettings()


class Light:
    """Notes what an on-air light would show."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[tuple[Publisher | None, str]] = asyncio.Queue()

    def __call__(self, publisher: Publisher | None, text: str) -> None:
        self.changes.put_nowait((publisher, text))

    async def on(self) -> Publisher:
        """Return the publisher of the next time it goes on; what is told in between is skipped."""
        while True:
            publisher, text = await self.changes.get()
            if publisher is not None:
                assert text == publisher.connection_id
                return publisher

    async def off(self) -> str:
        publisher, text = await self.changes.get()
        assert publisher is None
        return text


@asynccontextmanager
async def broadcasting(grant: BroadcastGrant, http: aiohttp.ClientSession) -> AsyncIterator[Light]:
    light = Light()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        kept = tasks.create_task(keep_on_air(grant, http=http, settings=SETTINGS, on_air=light))
        yield light
        kept.cancel()


async def test_a_dropped_connection_is_made_anew_with_a_new_playlist(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    async with broadcasting(grant_for(channel), http) as light:
        first = await light.on()
        await send(first.programme, tone(440, -12, 2))
        (before,) = await wait_for_playlists(service, channel.channel_id)
        stand_in.drop()
        assert (await light.off()).startswith("lost")
        second = await light.on()
        assert second.connection_id != first.connection_id
        await send(second.programme, tone(880, -12, 2))
        (after,) = await wait_for_playlists(service, channel.channel_id)
        assert after.connection_id == second.connection_id
        assert after.url != before.url
        assert (await download(http, before.url)).playlist.ended
        await wait_for_segments(http, after.url, 1)
        assert dbfs(heard((await download(http, after.url)).sound)) > -14


async def test_a_connection_whose_life_is_over_is_made_anew_at_once(http: aiohttp.ClientSession) -> None:
    async with ImageFluxStandIn(StandInSettings(connection_seconds=0.2)) as short_lived:
        service = ImageFlux(http, short_lived.api_url, short_lived.settings.token)
        channel = await service.create_channel()
        async with broadcasting(grant_for(channel), http) as light:
            first = await light.on()
            assert await light.off() == "ended by server: 1000 LIFETIME-EXPIRED"
            assert (await light.on()).connection_id != first.connection_id


async def test_refusals_are_told_and_tried_again(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    stand_in.faults.refuse_connect = True
    async with broadcasting(grant_for(channel), http) as light:
        assert await light.off() == "refused: 4403 FAULT-SWITCHED-ON"
        assert await light.off() == "refused: 4403 FAULT-SWITCHED-ON"
        stand_in.faults.refuse_connect = False
        await light.on()


async def test_a_channel_that_is_gone_is_told(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    channel = await service.create_channel()
    await service.delete(channel.channel_id)
    async with broadcasting(grant_for(channel), http) as light:
        assert await light.off() == "refused: 4404 CHANNEL-NOT-FOUND"


async def test_cancelling_says_goodbye_and_leaves_nothing(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    channel = await service.create_channel()
    async with broadcasting(grant_for(channel), http) as light:
        await light.on()
    assert await light.off() == "left: 1000 TYPE-DISCONNECT"
    assert await service.playlists(channel.channel_id) == []


async def test_nothing_of_a_broadcast_outlives_it(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    async def one() -> None:
        channel = await service.create_channel()
        async with broadcasting(grant_for(channel), http) as light:
            await send((await light.on()).programme, tone(440, -12, 0.2))
        await service.delete(channel.channel_id)

    await one()  # what is made once is made in it
    before = alive()
    for _ in range(SESSIONS):
        await one()
    grown = alive() - before
    assert [name for name in grown if name.startswith("device.")] == []
    theirs = [name for name, count in grown.items() if count >= SESSIONS and not name.startswith("asyncio.")]
    assert theirs == [], "one for each broadcast, or more; the stand-in's streams hold events on purpose"
