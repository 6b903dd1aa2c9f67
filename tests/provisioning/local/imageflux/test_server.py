from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest
from yarl import URL

from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.channels import ChannelOptions, HlsRendition
from provisioning.imageflux import ImageFlux, ImageFluxUnreachableError
from provisioning.local.imageflux import ImageFluxStandIn, StandInSettings
from provisioning.local.imageflux.channels import Channel
from provisioning.local.imageflux.files import forget_deleted, sweep
from provisioning.local.imageflux.requests import CreateRequest
from tests.device.sora.sending import grant_for, send
from tests.provisioning.local.imageflux.listening import (
    dbfs,
    download,
    heard,
    loudest_hertz,
    text_of,
    tone,
    wait_for_playlists,
    wait_for_segments,
)
from tests.provisioning.local.imageflux.m3u8 import parse_master, parse_media
from tests.provisioning.local.imageflux.sora_client import SoraClient

SETTINGS = BroadcastSettings()


async def test_a_publisher_that_says_nothing_is_broadcast_as_silence(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    async with asyncio.timeout(15), Publisher(grant_for(channel), http=http, settings=SETTINGS):
        (found,) = await wait_for_playlists(service, channel.channel_id)
        playlist = await wait_for_segments(http, found.url, 2)
        assert not playlist.ended
        assert playlist.start == -2.0
        first, second = playlist.segments[:2]
        assert first.at
        assert second.at
        assert (second.at - first.at).total_seconds() == pytest.approx(first.seconds, abs=0.002)
        assert dbfs((await download(http, found.url)).sound) < -90


async def test_sound_after_a_pause_is_there_and_the_sequence_only_grows(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    async with asyncio.timeout(20), Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
        (found,) = await wait_for_playlists(service, channel.channel_id)
        await send(publisher.programme, tone(600, -12, 0.5))
        before = await wait_for_segments(http, found.url, 1)
        await send(publisher.programme, tone(600, -12, 12))
        after = parse_media(await text_of(http, found.url))
        while after.sequence == 0:
            after = await wait_for_segments(http, found.url, 1)
        assert after.sequence > before.sequence
    assert loudest_hertz(heard((await download(http, found.url)).sound)) == pytest.approx(600, abs=2)


async def test_players_of_any_origin_may_download_and_playlists_are_never_stale(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    async with asyncio.timeout(15), Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
        await send(publisher.programme, tone(440, -12, 1.2))
        (found,) = await wait_for_playlists(service, channel.channel_id)
        segment = urljoin(found.url, (await wait_for_segments(http, found.url, 1)).segments[0].uri)
        for url, caching in ((found.url, "no-store"), (segment, "public, max-age=31536000, immutable")):
            async with http.get(url, headers={"Origin": "https://elsewhere.example"}) as response:
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert response.headers["Cache-Control"] == caching
        async with http.options(found.url) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "*"
        folder = found.url.removesuffix("index.m3u8")
        for missing in ("999999.ts", "nothing.m3u8", "0/index.m3u8", "%2e%2e%2findex.m3u8", "..%2f..%2fetc%2fpasswd"):
            async with http.get(URL(folder + missing, encoded=True)) as response:
                assert response.status == 404


async def test_several_renditions_have_a_master(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    renditions = [HlsRendition(audio_bps=320_000), HlsRendition(audio_bps=33_000, start_offset=-3.5)]
    channel = await service.create_channel(ChannelOptions(renditions=renditions))
    async with asyncio.timeout(20), Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
        await send(publisher.programme, tone(440, -12, 3))
        (found,) = await wait_for_playlists(service, channel.channel_id)
        variants = parse_master(await text_of(http, found.url))
        assert [int(attributes["AVERAGE-BANDWIDTH"]) for attributes, _ in variants] == [320_000, 32_000]
        for (_, uri), start in zip(variants, (-2.0, -3.5), strict=True):
            assert (await wait_for_segments(http, urljoin(found.url, uri), 2)).start == start
    for _, uri in variants:
        recording = await download(http, urljoin(found.url, uri))
        assert loudest_hertz(heard(recording.sound)) == pytest.approx(440, abs=1)


async def test_channels_do_not_hear_each_other(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    async def broadcast(hertz: float) -> float:
        channel = await service.create_channel()
        async with Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
            await send(publisher.programme, tone(hertz, -12, 3))
            (found,) = await wait_for_playlists(service, channel.channel_id)
        return loudest_hertz(heard((await download(http, found.url)).sound))

    async with asyncio.timeout(20):
        found = await asyncio.gather(*(broadcast(hertz) for hertz in (300, 500, 700)))
    assert found == pytest.approx([300, 500, 700], abs=1)


async def test_deleting_ends_everything_but_the_playlist_can_still_be_played(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    channel = await service.create_channel()
    async with asyncio.timeout(15), SoraClient(http, channel, "recvonly") as receiver:
        async with Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
            await send(publisher.programme, tone(440, -12, 2))
            (found,) = await wait_for_playlists(service, channel.channel_id)
            await service.delete(channel.channel_id)
            assert await publisher.ended() == "ended by server: 1000 DISCONNECTED-API"
        await receiver.closed.wait()
        assert receiver.close == (1000, "DISCONNECTED-API")
    recording = await download(http, found.url)
    assert recording.playlist.ended
    assert channel.channel_id not in await service.channels()


async def test_an_ended_playlist_is_swept_away_and_a_live_one_is_not(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with asyncio.timeout(15), ImageFluxStandIn(StandInSettings(directory=str(tmp_path))) as stand_in:
        service = ImageFlux(http, stand_in.api_url, stand_in.settings.token)
        channel = await service.create_channel()
        async with Publisher(grant_for(channel), http=http, settings=SETTINGS) as publisher:
            await send(publisher.programme, tone(440, -12, 1.2))
            (found,) = await wait_for_playlists(service, channel.channel_id)
            sweep(tmp_path, 10.0)
            assert await text_of(http, found.url)
        sweep(tmp_path, -1.0)
        async with http.get(found.url) as response:
            assert response.status == 404


def test_a_deleted_channel_is_known_for_as_long_as_it_can_be_downloaded(tmp_path: Path) -> None:
    channels = {name: Channel(name, CreateRequest(), deleted=name != "open") for name in ("open", "played", "unheard")}
    stream = tmp_path / "played" / "CONNECTION"
    stream.mkdir(parents=True)
    forget_deleted(tmp_path, channels)
    assert list(channels) == ["open", "played"]
    stream.rmdir()
    forget_deleted(tmp_path, channels)
    assert list(channels) == ["open"]
    assert not stream.parent.exists()


async def test_a_slow_service_is_slow_and_a_stopped_one_unreachable(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(10), ImageFluxStandIn() as stand_in:
        service = ImageFlux(http, stand_in.api_url, stand_in.settings.token)
        stand_in.faults.slow_seconds = 0.2
        began = asyncio.get_running_loop().time()
        await service.channels()
        assert asyncio.get_running_loop().time() - began >= 0.2
    with pytest.raises(ImageFluxUnreachableError):
        await service.channels()


async def test_leaving_sends_everybody_away_and_ends_their_playlists(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    before = asyncio.all_tasks()
    async with ImageFluxStandIn(StandInSettings(directory=str(tmp_path))) as stand_in:
        service = ImageFlux(http, stand_in.api_url, stand_in.settings.token)
        channel = await service.create_channel()
        publisher = await Publisher(grant_for(channel), http=http, settings=SETTINGS).__aenter__()
        async with asyncio.timeout(10):
            await send(publisher.programme, tone(440, -12, 1.2))
            await wait_for_playlists(service, channel.channel_id)
    async with asyncio.timeout(5):
        assert await publisher.ended() == "ended by server: 1000 SHUTDOWN"
        await publisher.__aexit__()
    (written,) = tmp_path.glob("*/*/index.m3u8")  # noqa: ASYNC240 - nobody else waits
    assert "#EXT-X-ENDLIST" in written.read_text()
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()


async def test_it_does_not_start_where_somebody_listens(stand_in: ImageFluxStandIn) -> None:
    port = int(stand_in.api_url.rstrip("/").rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        await ImageFluxStandIn(StandInSettings(port=port)).__aenter__()
