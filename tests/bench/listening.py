"""From a microphone to observers: when a sound that was just captured can be downloaded, and when it is heard."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Final
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np

from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.channels import ChannelOptions, HlsRendition
from provisioning.imageflux import Channel, ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn
from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from tests.bench.rows import Row, at_most
from tests.device.sora.sending import grant_for
from tests.provisioning.local.imageflux.listening import wait_for_playlists
from tests.provisioning.local.imageflux.m3u8 import parse_media
from tests.provisioning.local.imageflux.test_hls_js import Microphone
from tests.provisioning.observer.browsing import Visit, chromium, visit
from tests.provisioning.observer.live_stream import serving
from tests.provisioning.observer.talk import SESSION, on_air

LOUD: Final = 0.02
BETWEEN: Final = 3.37
"""Seconds between two sounds: no multiple of a segment, so that they fall anywhere in one."""

_EAR: Final = """
() => {
  globalThis.onsets = [];
  let loud = false;
  setInterval(() => {
    const level = kaiwa.sound.level();
    if (level > -40 && !loud) onsets.push(Date.now() / 1000);
    loud = level > -40;
  }, 4);
}
"""


@asynccontextmanager
async def broadcasting() -> AsyncIterator[tuple[ImageFluxStandIn, aiohttp.ClientSession, Channel, Microphone, str]]:
    """Publish silence; yield what is needed to make and to hear sounds in it."""
    async with ImageFluxStandIn() as stand_in, aiohttp.ClientSession() as http:
        service = ImageFlux(http, stand_in.api_url, stand_in.settings.token)
        channel = await service.create_channel(ChannelOptions(renditions=[HlsRendition(segment_seconds=1)]))
        async with Publisher(grant_for(channel), http=http, settings=BroadcastSettings()) as publisher:
            microphone = Microphone(publisher.programme)
            sending = asyncio.create_task(microphone.run())
            [playlist] = await wait_for_playlists(service, channel.channel_id)
            try:
                yield stand_in, http, channel, microphone, playlist.url
            finally:
                sending.cancel()


def has_sound(segment: bytes) -> bool:
    """Tell whether anything in a segment is louder than `LOUD` of full scale."""
    with av.open(io.BytesIO(segment), "r") as container:
        return any(np.abs(frame.to_ndarray()).max() > LOUD for frame in container.decode(audio=0))


async def listed(http: aiohttp.ClientSession, url: str) -> list[str]:
    """Return the names of the segments in a playlist."""
    async with http.get(url) as response:
        return [segment.uri for segment in parse_media(await response.text()).segments]


async def downloadable(http: aiohttp.ClientSession, url: str, known: set[str]) -> float:
    """Return the Unix time at which a segment with sound had been listed and downloaded; `known` ones are passed over."""
    while True:
        for uri in [uri for uri in await listed(http, url) if uri not in known]:
            known.add(uri)
            async with http.get(urljoin(url, uri)) as response:
                segment, now = await response.read(), time.time()
            if has_sound(segment):
                return now
        await asyncio.sleep(0.01)


async def to_segment(sounds: int) -> list[float]:
    """Return the seconds from capture to download for each of so many sounds."""
    took: list[float] = []
    async with broadcasting() as (_, http, _, microphone, url):
        for _ in range(sounds):
            await asyncio.sleep(BETWEEN)  # until the last sound is over, and in a segment that is listed
            known = set(await listed(http, url))
            said_at = await microphone.burst()
            took.append(await downloadable(http, url, known) - said_at)
    return took


async def hear(opened: Visit, microphone: Microphone, sounds: int) -> list[float]:
    """Return the seconds from capture to the page's own level meter for each of so many sounds."""
    took: list[float] = []
    await asyncio.sleep(4.0)  # until the player has found its place
    for _ in range(sounds):
        await opened.page.evaluate("() => onsets.splice(0)")
        said_at = await microphone.burst()
        await opened.until("onsets.length > 0")
        took.append(float(await opened.page.evaluate("() => onsets[0]")) - said_at)
        await asyncio.sleep(BETWEEN)
    return took


async def to_ear(sounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds from capture to the observers' page in Chromium, by HLS and by WebRTC."""
    async with broadcasting() as (stand_in, _, channel, microphone, url):
        feed = Feed()
        feed.on_state(on_air())
        feed.on_playlist("hana", SESSION, url)
        feed.on_watch("hana", SESSION, channel)
        app = create_app(feed, media_origins=[stand_in.api_url.rstrip("/")])
        async with (
            serving(app) as page,
            chromium() as browser,
            visit(browser, f"{page}/r/hana") as opened,
        ):
            await opened.page.locator("#listen").click()
            await opened.until("kaiwa.player.status === 'playing'")
            await opened.page.evaluate(_EAR)
            by_hls = await hear(opened, microphone, sounds)
            await opened.page.locator("#direct").click()
            await opened.until("kaiwa.player.direct && kaiwa.player.status === 'playing'")
            return by_hls, await hear(opened, microphone, sounds)


async def rows(sounds: int) -> list[Row]:
    """Return the figures of so many sounds each."""
    segment = await to_segment(sounds)
    by_hls, by_webrtc = await to_ear(sounds)
    return [
        at_most("microphone to downloadable segment of 1 s, median", median(segment), "s", 1.2),
        at_most("microphone to Chromium by HLS, median", median(by_hls), "s", 2.5),
        at_most("microphone to Chromium by WebRTC, median", median(by_webrtc) * 1000, "ms", 250),
    ]
