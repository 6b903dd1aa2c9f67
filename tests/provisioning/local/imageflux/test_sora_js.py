"""The stand-in with sora-js-sdk, which nobody here wrote, in Chromium."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from device.messages.reports import Levels
from device.phase import Phase
from device.picture.skin import WIDTH
from device.sora.picture import studio
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from provisioning.imageflux import Channel, ImageFlux
from provisioning.observer.assets import STATIC
from tests.device.sora.sending import grant_for, play
from tests.provisioning.local.imageflux.listening import tone
from tests.provisioning.observer.browsing import ARGS, CHROMIUM
from tests.provisioning.observer.live_stream import serving

HERE = Path(__file__).parent
CAPTURE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
SOUND = {"audio": True, "video": False}
PICTURE = {"audio": True, "video": True, "videoCodecType": "H264"}


class Sdk:
    """The SDK in one page; connections are told apart by their number."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def join(self, role: str, channel: Channel, options: dict[str, Any]) -> int:
        arguments = [role, channel.signalling_url, channel.channel_id, options]
        return int(await self._page.evaluate("(wished) => sora.join(...wished)", arguments))

    async def told(self, index: int) -> dict[str, Any]:
        told: dict[str, Any] = await self._page.evaluate(f"() => sora.made[{index}].told")
        return told

    async def leave(self, index: int) -> None:
        await self._page.evaluate(f"() => sora.made[{index}].connection.disconnect()")

    async def id(self, index: int) -> str:
        return str(await self._page.evaluate(f"() => sora.ids({index})"))

    async def codecs(self, index: int) -> set[str]:
        return set(await self._page.evaluate(f"() => sora.codecs({index})"))

    async def grows(self, index: int, stream: str, kind: str, counter: str) -> None:
        """Wait until a counter of a stream is beyond 20 and grows."""
        async with asyncio.timeout(15):
            first = 20
            while await self.counted(index, stream, kind, counter) <= first:
                await asyncio.sleep(0.05)

    async def counted(self, index: int, stream: str, kind: str, counter: str) -> float:
        return float(await self._page.evaluate(f"() => sora.counted({index}, '{stream}', '{kind}', '{counter}')"))

    async def redness(self, index: int) -> float:
        """Return the share of clearly red pixels where our picture has its mark, as this page sees it."""
        return float(await self._page.evaluate(f"() => sora.redness({index}, 16, 12, 132, 24)"))

    async def hears_of(self, index: int, what: str, count: int) -> list[Any]:
        async with asyncio.timeout(15):
            while len(found := (await self.told(index))[what]) < count:
                await asyncio.sleep(0.05)
        return list(found)


@asynccontextmanager
async def sdk() -> AsyncIterator[Sdk]:
    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return web.FileResponse(HERE / "sora.html" if name == "sora.html" else STATIC / "vendor" / "sora.js")

    app = web.Application()
    app.add_routes([web.get("/{name}", file)])
    async with serving(app) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS + CAPTURE)
        page = await browser.new_page()
        await page.goto(f"{url}/sora.html")
        await page.wait_for_function("globalThis.sora !== undefined")
        yield Sdk(page)
        await browser.close()


async def test_it_sends_and_receives_and_is_told_of_everything(service: ImageFlux) -> None:
    channel = await service.create_channel()
    async with sdk() as client:
        listener = await client.join("recvonly", channel, SOUND)
        sender = await client.join("sendonly", channel, SOUND)
        await client.grows(sender, "outbound-rtp", "audio", "packetsSent")
        await client.grows(listener, "inbound-rtp", "audio", "packetsReceived")
        [track] = await client.hears_of(listener, "tracks", 1)
        assert track == {"kind": "audio", "stream": await client.id(sender)}
        assert (await client.told(listener))["connected"] == 1
        own, other = await client.hears_of(listener, "notify", 2)
        assert [own["connection_id"], other["connection_id"]] == [await client.id(listener), await client.id(sender)]
        assert (other["event_type"], other["channel_sendonly_connections"]) == ("connection.created", 1)
        await service.push(channel.channel_id, {"type": "caption", "text": "こんにちは"})
        assert (await client.hears_of(listener, "push", 1))[0]["text"] == "こんにちは"
        await client.leave(sender)
        gone = (await client.hears_of(listener, "notify", 3))[2]
        assert (gone["event_type"], gone["connection_id"]) == (
            "connection.destroyed",
            other["connection_id"],
        )
        assert (await client.hears_of(sender, "disconnect", 1))[0]["type"] == "normal"
        await service.delete(channel.channel_id)
        [ended] = await client.hears_of(listener, "disconnect", 1)
        assert (ended["code"], ended["reason"]) == (1000, "DISCONNECTED-API")


async def test_it_sends_h264_with_its_sound_and_another_sees_it(service: ImageFlux) -> None:
    channel = await service.create_channel()
    async with sdk() as client:
        sender = await client.join("sendonly", channel, PICTURE)
        await client.grows(sender, "outbound-rtp", "video", "framesSent")
        assert await client.codecs(sender) == {"audio/opus", "video/H264"}
        viewer = await client.join("recvonly", channel, {"audio": True, "video": True})
        await client.grows(viewer, "inbound-rtp", "video", "framesDecoded")
        await client.grows(viewer, "inbound-rtp", "audio", "packetsReceived")


async def test_what_our_publisher_draws_is_seen_by_it(service: ImageFlux, http: aiohttp.ClientSession) -> None:
    settings = BroadcastSettings(picture="character")
    motif = studio(settings, "robot", lambda: Levels(assistant=-16.0))
    assert motif
    motif.scene.stand(Phase.SPEAKING, on_air=True, muted=False)
    channel = await service.create_channel()
    async with (
        sdk() as client,
        Publisher(grant_for(channel), http=http, settings=settings, motif=motif) as publisher,
        asyncio.TaskGroup() as tasks,
    ):
        playing = tasks.create_task(play(publisher.programme, tone(440, -12, 30)))
        viewer = await client.join("recvonly", channel, {"audio": True, "video": True})
        await client.grows(viewer, "inbound-rtp", "video", "framesDecoded")
        assert await client.counted(viewer, "inbound-rtp", "video", "frameWidth") == WIDTH
        red = await client.redness(viewer)
        playing.cancel()
    assert red > 0.5, "the mark that says on air"


async def moved(client: Sdk, service: ImageFlux, *, alone: bool) -> None:
    """Move the signalling of two clients to data channels, `alone` or beside the websocket, and use all of it there."""
    over = {"dataChannelSignaling": True, "ignoreDisconnectWebSocket": alone}
    channel = await service.create_channel()
    listener = await client.join("recvonly", channel, SOUND | over)
    while "websocket onmessage-switched" not in (await client.told(listener))["signaling"]:
        await asyncio.sleep(0.02)
    sender = await client.join("sendonly", channel, SOUND | over)
    await client.grows(listener, "inbound-rtp", "audio", "packetsReceived")
    assert "datachannel send-re-answer" in (await client.told(listener))["signaling"]
    await service.push(channel.channel_id, {"text": "こんにちは"})
    assert (await client.hears_of(listener, "push", 1))[0]["text"] == "こんにちは"
    assert len(await client.hears_of(listener, "notify", 2)) == 2
    await client.leave(sender)
    assert (await client.hears_of(sender, "disconnect", 1))[0]["type"] == "normal"
    await client.hears_of(listener, "notify", 3)
    await service.delete(channel.channel_id)
    [ended] = await client.hears_of(listener, "disconnect", 1)
    assert (ended["code"], ended["reason"]) == (1000, "DISCONNECTED-API")


async def test_signalling_moves_to_data_channels(service: ImageFlux) -> None:
    async with sdk() as client:
        for alone in (False, True):
            await moved(client, service, alone=alone)


async def test_a_codec_that_cannot_be_had_is_refused_with_a_reason(service: ImageFlux) -> None:
    channel = await service.create_channel()
    async with sdk() as client:
        for codec in ("VP9", "AV1"):
            with pytest.raises(Exception, match="UNSUPPORTED-CODEC"):
                await client.join("sendonly", channel, {"audio": True, "video": True, "videoCodecType": codec})
