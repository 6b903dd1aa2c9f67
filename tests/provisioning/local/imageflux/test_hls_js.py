"""The stand-in's playlists in hls.js, which nobody here wrote, in Chromium."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from device.audio.block import BLOCK, BLOCK_SECONDS
from device.rtc.sending import OpusSender
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.channels import ChannelOptions, HlsRendition
from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn
from tests.device.sora.sending import grant_for
from tests.provisioning.local.imageflux.listening import tone, wait_for_playlists
from tests.provisioning.observer.browsing import Visit, chromium, visit
from tests.provisioning.observer.live_stream import serving

HERE = Path(__file__).parent
WORDS = "こんにちは & <hello>"


@asynccontextmanager
async def player() -> AsyncIterator[Visit]:
    """A page with hls.js and nothing else, of an origin of its own."""

    async def page(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return web.FileResponse(HERE / ("player.html" if name == "player.html" else f"vendor/{Path(name).name}"))

    app = web.Application()
    app.add_routes([web.get("/{name}", page)])
    async with serving(app) as url, chromium() as browser, visit(browser, f"{url}/player.html") as opened:
        await opened.until("globalThis.state !== undefined")
        yield opened


class Microphone:
    """Silence on the clock, with a second of tone when asked; knows when the tone was captured."""

    def __init__(self, programme: OpusSender) -> None:
        self._programme = programme
        self._wanted: asyncio.Future[float] | None = None

    async def burst(self) -> float:
        """Have a tone said, and return the Unix time of its first sample."""
        self._wanted = asyncio.get_running_loop().create_future()
        return await self._wanted

    async def run(self) -> None:
        sound = tone(440, -12, 1.0).reshape(-1, BLOCK)
        silence = np.zeros(BLOCK, np.int16)
        loop = asyncio.get_running_loop()
        began, number, left = loop.time(), 0, 0
        while True:
            if self._wanted is not None:
                self._wanted.set_result(time.time() - BLOCK_SECONDS)
                self._wanted, left = None, len(sound)
            self._programme.push(sound[-left] if left else silence)
            left, number = max(0, left - 1), number + 1
            await asyncio.sleep(began + number * BLOCK_SECONDS - loop.time())


@asynccontextmanager
async def microphone(
    service: ImageFlux, http: aiohttp.ClientSession, options: ChannelOptions | None = None
) -> AsyncIterator[tuple[Microphone, str, str]]:
    """Publish; yield the microphone, the channel's id and the address of its playlist."""
    channel = await service.create_channel(options)
    async with Publisher(grant_for(channel), http=http, settings=BroadcastSettings()) as publisher:
        made = Microphone(publisher.programme)
        sending = asyncio.create_task(made.run())
        try:
            async with asyncio.timeout(15):
                [playlist] = await wait_for_playlists(service, channel.channel_id)
            yield made, channel.channel_id, playlist.url
        finally:
            sending.cancel()


async def found(opened: Visit, what: str) -> Any:
    return await opened.page.evaluate(f"() => {what}")


async def test_captions_come_with_the_sound_as_webvtt_and_as_timed_metadata(
    service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    async with AsyncExitStack() as stack:
        speech, channel_id, url = await stack.enter_async_context(microphone(service, http))
        opened = await stack.enter_async_context(player())
        await opened.page.evaluate("(url) => state.start(url)", url.replace("index.m3u8", "captioned.m3u8"))
        await opened.until("state.latency.length > 20")
        said_at = await speech.burst()
        caption = {"type": "caption", "id": "c1", "speaker": "assistant", "start": said_at, "end": said_at + 1}
        await service.push(channel_id, {**caption, "text": "こん"})
        await service.push(channel_id, {**caption, "text": WORDS, "final": True})
        await opened.until("state.onsets.length > 0 && state.metadata.length >= 2 && state.subtitles().length > 0")
        onset = (await found(opened, "state.onsets"))[0]
        subtitles = await found(opened, "state.subtitles()")
        metadata = await found(opened, "state.metadata")
        assert await found(opened, "state.fatal") == []
    assert onset["date"] == pytest.approx(said_at, abs=0.3), "the playlist's dates tell when it was said"
    assert {cue["text"] for cue in subtitles} == {"<v assistant>こんにちは &amp; &lt;hello&gt;"}
    assert min(cue["start"] for cue in subtitles) == pytest.approx(onset["time"], abs=0.3)
    assert [json.loads(cue["text"])["text"] for cue in metadata] == ["こん", WORDS]
    assert all(cue["info"] == "kaiwa" for cue in metadata)
    assert [cue["start"] for cue in metadata] == pytest.approx([onset["time"]] * 2, abs=0.3)


async def test_an_encrypted_broadcast_in_two_renditions_plays_and_changes_between_them(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession
) -> None:
    renditions = [HlsRendition(audio_bps=rate, video=False) for rate in (192_000, 32_000)]
    options = ChannelOptions(renditions=renditions, encrypt_key_uri=stand_in.key_uri)
    async with AsyncExitStack() as stack:
        speech, _, url = await stack.enter_async_context(microphone(service, http, options))
        opened = await stack.enter_async_context(player())
        await opened.page.evaluate("(url) => state.start(url)", url)
        await opened.until("state.latency.length > 20")
        assert await found(opened, "state.hls.levels.map((level) => level.bitrate)") == [64_000, 384_000]
        first = await found(opened, "state.hls.currentLevel")
        await speech.burst()
        await opened.until("state.onsets.length > 0")
        await opened.page.evaluate(f"() => (state.hls.currentLevel = {1 - first})")
        await opened.until(f"state.switched.includes({1 - first})")
        said = await found(opened, "state.onsets.length")
        await speech.burst()
        await opened.until(f"state.onsets.length > {said}")
        assert await found(opened, "state.keys") >= 1
        assert await found(opened, "state.fatal") == []
