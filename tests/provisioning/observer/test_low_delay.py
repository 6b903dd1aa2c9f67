"""The page joins the broadcast itself: our publisher, the stand-in, and Sora's own SDK in Chromium."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from device.messages.reports import Levels
from device.sora.picture import studio
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.channels import ChannelOptions
from provisioning.imageflux import Channel, ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn
from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from tests.device.sora.sending import grant_for, play
from tests.provisioning.local.imageflux.listening import tone
from tests.provisioning.observer.browsing import chromium, visit
from tests.provisioning.observer.live_stream import serving
from tests.provisioning.observer.talk import SESSION, card, on_air

pytestmark = pytest.mark.asyncio(loop_scope="module")
ON_CHANNEL = ChannelOptions(low_delay=True)


def seen(video: str) -> str:
    """Return the condition that `video` is what is shown, as large as it was sent, and moves."""
    found = f"document.querySelector('#{video}.shown')"
    return f"{found}?.videoWidth === 640 && {found}.getVideoPlaybackQuality().totalVideoFrames > 5"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture(loop_scope="module")
async def stand_in() -> AsyncIterator[ImageFluxStandIn]:
    async with ImageFluxStandIn() as running:
        yield running


@pytest.fixture
def service(stand_in: ImageFluxStandIn, http: aiohttp.ClientSession) -> ImageFlux:
    return ImageFlux(http, stand_in.api_url, stand_in.settings.token)


@asynccontextmanager
async def talking(http: aiohttp.ClientSession, channel: Channel, *, picture: bool = False) -> AsyncIterator[None]:
    """Publish a tone, and perhaps a picture, until the context ends."""
    settings = BroadcastSettings(picture="character" if picture else "off")
    motif = studio(settings, "hana", lambda: Levels(assistant=-20.0))
    async with Publisher(grant_for(channel), http=http, settings=settings, motif=motif) as publisher:
        sound = asyncio.create_task(play(publisher.programme, tone(440, -20, 60)))
        try:
            yield
        finally:
            sound.cancel()


async def test_the_broadcast_is_joined_and_left_for_the_playlist_and_back(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession, browser: Browser
) -> None:
    channel = await service.create_channel(ON_CHANNEL)
    feed = Feed(name_of=str.title, viewers_settle=0.0)
    feed.on_state(on_air("speaking"))
    async with AsyncExitStack() as stack:
        app = create_app(feed, media_origins=[stand_in.api_url.rstrip("/")])
        url = await stack.enter_async_context(serving(app))
        await stack.enter_async_context(talking(http, channel, picture=True))
        opened = await stack.enter_async_context(visit(browser, f"{url}/r/hana"))
        drawn = opened.page.locator("#scene .character")
        await expect(drawn).to_be_visible()
        low_delay = opened.page.get_by_role("button", name="Low delay")
        await opened.page.locator("#listen").click()
        await expect(low_delay).to_be_hidden()

        feed.on_watch("hana", SESSION, channel)
        await low_delay.click()
        await expect(opened.page.locator("#sound-words")).to_have_text("Live, as it is said")
        await opened.until("kaiwa.sound.level() > -30")
        await opened.until("kaiwa.player.latency() < 1 && kaiwa.player.latency() > 0.1")
        assert await opened.page.evaluate("() => kaiwa.clock.server() - kaiwa.clock.now()") < 1
        await expect(low_delay).to_have_attribute("aria-pressed", "true")
        await opened.until(seen("direct-audio"))
        await expect(drawn).to_be_hidden()

        playlist = stand_in.api_url + "hls"
        async with asyncio.timeout(10):
            while not (found := await service.playlists(channel.channel_id)):
                await asyncio.sleep(0.05)
            playlist = found[0].url
        feed.on_playlist("hana", SESSION, playlist)
        await opened.page.keyboard.press("d")
        await expect(opened.page.locator("#sound-words")).to_contain_text("s behind")
        await opened.until(seen("audio"))
        await opened.page.set_viewport_size({"width": 320, "height": 568})
        await opened.until("document.documentElement.scrollWidth <= 320 && document.body.scrollWidth <= 320")
        assert await opened.page.evaluate("() => document.querySelector('#scene').getBoundingClientRect().right <= 320")
        await opened.page.keyboard.press("d")
        await expect(opened.page.locator("#sound-words")).to_have_text("Live, as it is said")

        feed.on_state(card())
        await expect(low_delay).to_be_hidden()
        await opened.until("kaiwa.player.status === 'idle'")
        await expect(drawn).to_be_visible()
        assert await opened.problems() == []


async def test_a_listener_who_is_early_hears_the_robot_and_the_robot_again_after_a_cut(
    stand_in: ImageFluxStandIn, service: ImageFlux, http: aiohttp.ClientSession, browser: Browser
) -> None:
    channel = await service.create_channel(ON_CHANNEL)
    feed = Feed(name_of=str.title)
    feed.on_state(on_air("listening"))
    feed.on_watch("hana", SESSION, channel)
    async with AsyncExitStack() as stack:
        app = create_app(feed, media_origins=[stand_in.api_url.rstrip("/")])
        url = await stack.enter_async_context(serving(app))
        opened = await stack.enter_async_context(visit(browser, f"{url}/r/hana"))
        await opened.page.locator("#listen").click()
        await opened.page.get_by_role("button", name="Low delay").click()
        words = opened.page.locator("#sound-words")
        await expect(words).to_have_text("Waiting for sound…")
        for _ in range(2):
            async with talking(http, channel):
                await opened.until("kaiwa.sound.level() > -30")
                await expect(words).to_have_text("Live, as it is said")
            await expect(words).to_have_text("Waiting for sound…")


async def test_a_channel_that_cannot_be_joined_leaves_the_playlist(
    stand_in: ImageFluxStandIn, browser: Browser
) -> None:
    feed = Feed(name_of=str.title)
    feed.on_state(on_air("listening"))
    feed.on_watch("hana", SESSION, Channel("no-such-channel", stand_in.api_url.replace("http", "ws") + "signaling"))
    async with AsyncExitStack() as stack:
        app = create_app(feed, media_origins=[stand_in.api_url.rstrip("/")])
        url = await stack.enter_async_context(serving(app))
        opened = await stack.enter_async_context(visit(browser, f"{url}/r/hana"))
        await opened.page.locator("#listen").click()
        await opened.page.get_by_role("button", name="Low delay").click()
        await expect(opened.page.locator("#toast")).to_contain_text("Low delay cannot be had from here")
        await expect(opened.page.get_by_role("button", name="Low delay")).to_have_attribute("aria-pressed", "false")
