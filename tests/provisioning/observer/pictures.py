"""Make the pictures of the observer page that stand in `docs/pictures`, from the real page in headless Chromium.

Run it from the top of the repository: `python -m tests.provisioning.observer.pictures [FOLDER]`. What the robots say is
made up and fed through `Feed` as a robot's reports would be; the sound is a real HLS stream, listened to.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from device.messages.reports import DeviceState, Lifecycle, Speaker
from provisioning.imageflux import Channel
from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from tests.provisioning.observer.browsing import Visit, chromium, visit
from tests.provisioning.observer.live_stream import LiveStream, live_stream, serving
from tests.provisioning.observer.talk import card, loud, on_air, said

FOLDER = Path("docs/pictures")
USER, ASSISTANT = Speaker.USER, Speaker.ASSISTANT
LAG = 2.0
"""Seconds by which the sound is behind while a picture is taken, roughly."""

TALKS = {
    "en": [
        (USER, "Hello! What are you doing today?"),
        (ASSISTANT, "Hi there. I'm looking after the shop window. Shall I tell you what's new?"),
        (USER, "Yes, what about the blue bowls?"),
        (
            ASSISTANT,
            "They come from a small kiln in Hasami. The glaze turns this deep indigo only when the fire is slow.",
        ),
    ],
    "ja": [
        (USER, "こんにちは。今日は何をしていますか。"),
        (ASSISTANT, "こんにちは。お店の番をしています。新しく入ったものをご紹介しましょうか。"),
        (USER, "青いお茶碗のことを教えて。"),
        (ASSISTANT, "波佐見の小さな窯で焼かれました。ゆっくり火を入れたときだけ、この深い藍色になります。"),
    ],
}
NAMES = {"en": "Hana", "ja": "ハナ"}
LOCALES = {"en": "en-US", "ja": "ja-JP"}
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SMALL = {"width": 320, "height": 568}
TELEVISION = {"width": 1920, "height": 1080}

MOODS: list[tuple[DeviceState, tuple[float, float] | None]] = [
    (card("idle"), None),
    (card("announcing"), None),
    (card("preparing"), None),
    (on_air("listening"), (-20.0, -90.0)),
    (on_air("thinking"), None),
    (on_air("speaking"), (-90.0, -22.0)),
    (card("idle"), None),
    (card("fault"), None),
    (card(lifecycle=Lifecycle.LOST), None),
    (card("stopped", lifecycle=Lifecycle.DISCONNECTED), None),
]


@dataclass
class Studio:
    """A robot that talks, its sound, and a browser to look at it with."""

    browser: Browser
    live: LiveStream
    language: str
    feed: Feed
    url: str

    async def take(self, *, listening: bool, share: bool = False, **options: Any) -> bytes:
        """Return a picture of a page on which the robot is in the middle of its last sentence."""
        session = f"session at {time.time()}"
        self.live.begin(time.time())
        self.feed.on_state(on_air("speaking", session=session))
        self.feed.on_playlist("hana", session, self.live.url)
        self.feed.on_watch("hana", session, Channel("channel", "ws://127.0.0.1:9/signaling"))
        async with visit(self.browser, f"{self.url}/r/hana", locale=LOCALES[self.language], **options) as opened:
            await opened.until("document.body.dataset.view === 'speaking'")
            self.talk(session, time.time() - (LAG if listening else 0.0))
            if listening:
                await opened.page.locator("#listen").click()
                await opened.until("kaiwa.player.status === 'playing'")
            return await self.shoot(opened, share=share)

    def talk(self, session: str, now: float) -> None:
        """Report the conversation so that its last sentence is half over at `now`."""
        starts = [now - 20, now - 16, now - 8, now - 2.5]
        lines = TALKS[self.language]
        for number, (start, (speaker, text)) in enumerate(zip(starts, lines, strict=True)):
            caption = said(text, caption_id=f"c{number}", speaker=speaker, start=start, end=start + 6, session=session)
            self.feed.on_event("hana", caption)

    async def shoot(self, opened: Visit, *, share: bool) -> bytes:
        """Wait until all is there and something is loud, then take the picture."""
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(tell(self.feed, (-90.0, -20.0)))
            await opened.until(
                "document.fonts.status === 'loaded' && document.querySelectorAll('.captions li').length === 4"
            )
            await opened.until("Number(document.getElementById('meter-assistant').ariaValueNow) > 60")
            await opened.until("document.querySelector('.last .coming').textContent.length > 12")
            if share:
                await opened.page.locator("#share").click()
                await opened.until("document.querySelector('.qr').naturalWidth > 0")
            picture = await opened.page.screenshot()
            telling.cancel()
        return picture


async def tell(feed: Feed, levels: tuple[float, float]) -> None:
    """Report levels as a robot does, until cancelled."""
    while True:
        feed.on_metrics("hana", loud(*levels))
        await asyncio.sleep(0.1)


async def open_studio(stack: AsyncExitStack, browser: Browser, live: LiveStream, language: str) -> Studio:
    """Serve a page with one robot in `language`."""
    feed = Feed(name_of=lambda _device: NAMES[language], viewers_settle=0.0)
    url = await stack.enter_async_context(serving(create_app(feed, media_origins=[live.origin])))
    feed.on_state(card())
    return Studio(browser, live, language, feed, url)


def image(picture: bytes, style: str) -> str:
    """Return HTML that shows `picture`."""
    return f'<img style="{style}" src="data:image/png;base64,{b64encode(picture).decode()}">'


async def compose(browser: Browser, html: str, width: int, height: int) -> bytes:
    """Return a picture of `html`."""
    page = await browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1)
    await page.set_content(f'<body style="margin:0;overflow:hidden;background:#d9cbb3">{html}</body>')
    picture = await page.screenshot()
    await page.close()
    return picture


async def desktop_and_phone(studio: Studio) -> bytes:
    """Return the page on a desktop in light colours, listened to, and on a phone in dark ones."""
    desktop = await studio.take(listening=True, viewport=DESKTOP)
    phone = await studio.take(listening=False, viewport=PHONE, color_scheme="dark", device_scale_factor=2)
    shadow = "box-shadow:0 24px 60px rgb(60 36 10/35%)"
    window = image(desktop, f"position:absolute;left:40px;top:48px;width:1280px;border-radius:16px;{shadow}")
    frame = f"position:absolute;right:40px;top:112px;width:352px;border:8px solid #0d0a09;border-radius:44px;{shadow}"
    return await compose(studio.browser, window + image(phone, frame), 1712, 896)


async def handed_on(studio: Studio) -> bytes:
    """Return the sheet with the QR code on a television, and the smallest phone, listening."""
    options = {"viewport": TELEVISION, "color_scheme": "dark"}
    television = await studio.take(listening=True, share=True, **options)
    phone = await studio.take(listening=True, viewport=SMALL, device_scale_factor=2)
    shadow = "box-shadow:0 24px 60px rgb(60 36 10/35%)"
    screen = image(television, f"position:absolute;left:40px;top:48px;width:1280px;border-radius:10px;{shadow}")
    frame = f"position:absolute;right:40px;top:112px;width:320px;border:8px solid #0d0a09;border-radius:36px;{shadow}"
    return await compose(studio.browser, screen + image(phone, frame), 1712, 816)


async def states(studio: Studio) -> bytes:
    """Return the stage in every state, five in a row."""
    pictures = []
    async with visit(studio.browser, f"{studio.url}/r/hana", viewport=PHONE, locale=LOCALES[studio.language]) as opened:
        for state, levels in MOODS:
            pictures.append(await stage_in(studio, opened, state, levels))
    tiles = "".join(image(picture, "width:390px;border-radius:24px") for picture in pictures)
    grid = f'<div style="display:grid;grid-template-columns:repeat(5,390px);gap:16px;padding:16px">{tiles}</div>'
    return await compose(studio.browser, grid, 2046, 792)


async def stage_in(studio: Studio, opened: Visit, state: DeviceState, levels: tuple[float, float] | None) -> bytes:
    """Return the upper part of the page once it shows `state` and, if given, `levels`."""
    studio.feed.on_state(state)
    found = studio.feed.snapshot("hana").state
    await opened.until(f"kaiwa.robot.state?.at === {found.at!r} && document.fonts.status === 'loaded'")
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(tell(studio.feed, levels or (-100.0, -100.0)))
        meters = "[...document.querySelectorAll('[role=meter]')].map((meter) => Number(meter.ariaValueNow))"
        await opened.until(f"Math.max(...{meters}) {'> 50' if levels else '=== 0'}")
        picture = await opened.page.screenshot(clip={"x": 0, "y": 52, "width": 390, "height": 370})
        telling.cancel()
    return picture


async def main(folder: Path) -> None:
    """Write all pictures into `folder`."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        live = await stack.enter_async_context(live_stream(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        for language in TALKS:
            studio = await open_studio(stack, browser, live, language)
            (folder / f"page-{language}.png").write_bytes(await desktop_and_phone(studio))
            studio.feed.on_state(card())
            (folder / f"page-share-{language}.png").write_bytes(await handed_on(studio))
            studio.feed.on_state(card())
            fresh = await open_studio(stack, browser, live, language)
            (folder / f"page-states-{language}.png").write_bytes(await states(fresh))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
