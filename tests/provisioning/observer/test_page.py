from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from msgspec.structs import replace
from playwright.async_api import Browser, expect

from device.messages.reports import Lifecycle, Speaker
from provisioning.observer.feed import Feed
from provisioning.observer.web import create_app
from tests.provisioning.observer.browsing import PATIENCE, Visit, chromium, visit
from tests.provisioning.observer.live_stream import LiveStream, live_stream, serving
from tests.provisioning.observer.talk import SESSION, card, loud, on_air, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=PATIENCE * 1000)


@dataclass
class Site:
    """The observer's server with one robot, Hana."""

    feed: Feed
    url: str

    @property
    def hana(self) -> str:
        return f"{self.url}/r/hana"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveStream]:
    async with live_stream(tmp_path_factory.mktemp("hls")) as stream:
        yield stream


@pytest_asyncio.fixture(loop_scope="module")
async def site(live: LiveStream) -> AsyncIterator[Site]:
    feed = Feed(name_of=str.title, viewers_settle=0.0)
    feed.on_state(card())
    live.begin(time.time())
    async with serving(create_app(feed, media_origins=[live.origin])) as url:
        yield Site(feed, url)


async def open_page(stack: AsyncExitStack, browser: Browser, url: str, **options: Any) -> Visit:
    opened = await stack.enter_async_context(visit(browser, url, **options))
    await opened.until("document.body.dataset.view !== undefined && document.body.dataset.view !== 'connecting'")
    return opened


async def listen(opened: Visit) -> None:
    await opened.page.locator("#listen").click()
    await opened.until("kaiwa.player.status === 'playing'")


STATES = {
    "en-US": [
        "Waiting for someone to talk to",
        "Getting ready to talk",
        "Listening",
        "Speaking",
        "The conversation has ended",
    ],
    "ja-JP": [
        "話しかけられるのを待っています",
        "会話の準備をしています",
        "聞いています",
        "話しています",
        "会話は終わりました",
    ],
}


@pytest.mark.parametrize("locale", ["en-US", "ja-JP"])
async def test_a_conversation_is_followed_without_reload(browser: Browser, site: Site, locale: str) -> None:
    words = STATES[locale]
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana, locale=locale)
        state = opened.page.locator("#state")
        await expect(state).to_have_text(words[0])
        for phase, shown in zip(["preparing", "listening"], words[1:3], strict=True):
            site.feed.on_state(on_air(phase))
            await expect(state).to_have_text(shown)
        now = time.time()
        site.feed.on_event("hana", said("こんにちは", caption_id="u", speaker=Speaker.USER, start=now - 2))
        site.feed.on_state(on_air("speaking"))
        site.feed.on_event("hana", said("Hel", caption_id="a", start=now - 1, final=False))
        site.feed.on_event("hana", said("Hello, I am Hana.", caption_id="a", start=now - 1, end=now))
        await expect(state).to_have_text(words[3])
        captions = opened.page.locator("#captions > li .words")
        await expect(captions).to_have_text(["こんにちは", "Hello, I am Hana."])
        approximate = {"en-US": "approximate", "ja-JP": "聞き取り"}[locale]
        await expect(opened.page.locator(".user .approximate")).to_have_text(approximate)
        await expect(opened.page.locator(".assistant .approximate")).to_have_count(0)
        site.feed.on_state(card())
        await expect(state).to_have_text(words[4])
        await expect(captions).to_have_count(2)
        assert await opened.problems() == []


METERS = [f"Number(document.getElementById('meter-{voice}').ariaValueNow)" for voice in ("user", "assistant")]


async def test_the_sound_is_played_and_measured(browser: Browser, site: Site, live: LiveStream) -> None:
    user, assistant = METERS
    site.feed.on_state(on_air("listening"))
    site.feed.on_playlist("hana", SESSION, live.url)
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        await listen(opened)
        first = await opened.page.evaluate("() => document.querySelector('#audio').currentTime")
        await opened.until("kaiwa.sound.level() > -40")
        await opened.until(f"{user} > 20 && {assistant} === 0")
        await expect(opened.page.locator("#sound-words")).to_contain_text("s behind")
        behind = await opened.page.evaluate("() => kaiwa.clock.server() - kaiwa.clock.now()")
        assert 0 < behind < 10
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(tell_levels(site.feed))
            await opened.until(f"{assistant} > 20 && {assistant} > {user}")
            telling.cancel()
        await opened.until(f"document.querySelector('#audio').currentTime > {first} + 1")
        await opened.page.evaluate("() => document.querySelector('#audio').pause()")
        await opened.until("kaiwa.player.status === 'idle'")
        await expect(opened.page.get_by_role("button", name="Listen", exact=True)).to_be_visible()
        assert await opened.problems() == []


async def tell_levels(feed: Feed) -> None:
    """Report levels as a robot does, until cancelled: it speaks, whatever its phase says."""
    while True:
        feed.on_metrics("hana", loud(user=-90, assistant=-15))
        await asyncio.sleep(0.1)


async def test_words_and_states_wait_for_the_sound(browser: Browser, site: Site, live: LiveStream) -> None:
    site.feed.on_state(on_air("listening"))
    site.feed.on_playlist("hana", SESSION, live.url)
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        await listen(opened)
        await opened.page.evaluate(
            "() => { globalThis.shownAt = []; new MutationObserver(() => shownAt.push(kaiwa.clock.now()))"
            ".observe(document.getElementById('captions'), { childList: true }); }"
        )
        start = time.time()
        site.feed.on_state(on_air("speaking"))
        site.feed.on_event("hana", said("One two three four", start=start, end=start + 20))
        await opened.until("shownAt.length > 0")
        shown = (await opened.page.evaluate("() => shownAt"))[0]
        assert time.time() - start > 0.5, "the sound is some seconds behind, so the words must be"
        assert -0.01 < shown - start < 1
        await expect(opened.page.locator(".spoken")).to_have_text("One")
        await expect(opened.page.locator("#state")).to_have_text("Speaking")


async def test_a_delayed_broadcast_says_so_and_is_followed_as_late_as_it_is(browser: Browser, site: Site) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        site.feed.on_state(replace(on_air(), delay=0.3))
        await expect(opened.page.locator("#air-words")).to_have_text("On air, 0.3 s late")
        began = time.monotonic()
        site.feed.on_state(replace(on_air("speaking"), delay=0.3))
        await expect(opened.page.locator("#state")).to_have_text("Speaking")
        assert time.monotonic() - began > 0.25
        site.feed.on_state(replace(on_air("thinking"), delay=0.3))
        site.feed.on_state(replace(card("speaking", session=SESSION), delay=0.3))
        await expect(opened.page.locator("#state")).to_have_text("Talking, but not on air")
        await opened.page.evaluate(
            "() => new Promise((done) => setTimeout(done, 450))"
        )  # until what came before is due
        await expect(opened.page.locator("#state")).to_have_text("Talking, but not on air")


async def test_the_sound_recovers_when_the_playlist_comes_back(browser: Browser, site: Site, live: LiveStream) -> None:
    site.feed.on_state(on_air())
    site.feed.on_playlist("hana", SESSION, live.url)
    live.gone = True
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        await opened.page.locator("#listen").click()
        await expect(opened.page.locator("#sound-words")).to_have_text("The sound is gone; trying again…")
        live.gone = False
        await opened.until("kaiwa.player.status === 'playing'")


async def test_sound_that_is_asked_for_early_starts_by_itself(browser: Browser, site: Site, live: LiveStream) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        await opened.page.get_by_role("button", name="Listen when it starts").click()
        await expect(opened.page.locator("#sound-words")).to_have_text("The sound will start by itself")
        site.feed.on_state(on_air())
        site.feed.on_playlist("hana", SESSION, live.url)
        await opened.until("kaiwa.player.status === 'playing'")
        site.feed.on_state(card())
        await expect(opened.page.locator("#state")).to_have_text("The conversation has ended")
        await opened.until("kaiwa.player.status === 'idle'")


async def test_a_lost_line_is_said_and_comes_back(browser: Browser) -> None:
    feed = Feed()
    feed.on_state(card())
    async with AsyncExitStack() as stack:
        async with serving(create_app(feed)) as url:
            opened = await open_page(stack, browser, f"{url}/r/hana")
        await expect(opened.page.locator("#link")).to_have_text("Connection lost. Trying again…")
        runner = web.AppRunner(create_app(feed), shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", int(url.rsplit(":", 1)[1])).start()
        feed.on_state(card("preparing"))
        await expect(opened.page.locator("#state")).to_have_text("Getting ready to talk")
        await expect(opened.page.locator("#link")).to_be_hidden()


async def test_every_state_is_told_in_words_from_before_the_first_report(browser: Browser) -> None:
    feed = Feed()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(create_app(feed)))
        opened = await open_page(stack, browser, f"{url}/r/hana")
        state, air = opened.page.locator("#state"), opened.page.locator("#air")
        await expect(state).to_have_text("There is no robot of this name here yet")
        feed.on_state(card("listening", session=SESSION))
        await expect(state).to_have_text("Talking, but not on air")
        await expect(air).to_have_text("Off air")
        feed.on_state(on_air())
        await expect(air).to_have_text("On air")
        feed.on_metrics("hana", loud(user=-15))
        await opened.until(f"{METERS[0]} > 50")
        feed.on_state(card("announcing"))
        await expect(state).to_have_text("About to start a conversation")
        feed.on_state(card("offline"))
        await expect(state).to_have_text("Offline")
        feed.on_state(card("stopped", lifecycle=Lifecycle.DISCONNECTED))
        await expect(state).to_have_text("Switched off for now")
        feed.on_state(card("fault"))
        await expect(state).to_have_text("Something went wrong")
        feed.on_state(card(lifecycle=Lifecycle.LOST))
        await expect(state).to_have_text("Offline")
        assert [words for words in await opened.problems() if "404" not in words] == []


async def test_everything_has_a_name_and_works_from_the_keyboard(
    browser: Browser, site: Site, live: LiveStream
) -> None:
    site.feed.on_state(on_air("speaking"))
    site.feed.on_playlist("hana", SESSION, live.url)
    site.feed.on_event("hana", said("Hello", start=time.time() - 1))
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        page = opened.page
        for role, name in [
            ("banner", None),
            ("main", None),
            ("heading", "Hana"),
            ("region", "Conversation"),
            ("meter", "Loudness of the visitor"),
            ("meter", "Loudness of Hana"),
            ("button", "Large text"),
            ("button", "Share this page"),
            ("button", "日本語"),
        ]:
            located = page.get_by_role(role, name=name, exact=True) if name else page.get_by_role(role)  # type: ignore[arg-type]  # the roles are written out above
            await expect(located.first).to_be_visible()
        await expect(page.get_by_role("log")).to_have_text("Hana: Hello")
        await page.keyboard.press("Tab")
        assert await page.evaluate("() => document.activeElement.className") == "skip"
        await page.locator("#listen").focus()
        await page.keyboard.press("Enter")
        await opened.until("kaiwa.player.status === 'playing'")
        await page.keyboard.press("m")
        await expect(page.get_by_role("button", name="Sound on")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("l")
        await opened.until("kaiwa.player.status === 'idle'")


async def test_language_and_large_text_are_switched_and_kept(browser: Browser, site: Site) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        page = opened.page
        await page.locator("#language").click()
        await expect(page.locator("#state")).to_have_text("話しかけられるのを待っています")
        size = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
        before = await page.evaluate(size)
        await page.locator("#big").click()
        assert await page.evaluate(size) > before
        await page.reload()
        await expect(page.locator("#state")).to_have_text("話しかけられるのを待っています")
        assert await page.evaluate("() => [document.documentElement.lang, document.documentElement.className]") == [
            "ja",
            "big",
        ]


async def test_the_link_is_shared(browser: Browser, site: Site) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_page(
            stack, browser, f"{site.hana}?embed", permissions=["clipboard-read", "clipboard-write"]
        )
        await expect(opened.page.locator(".top")).to_be_hidden()
        await opened.page.goto(site.hana)
        await opened.page.locator("#share").click()
        sheet = opened.page.get_by_role("dialog", name="Share this page")
        await expect(sheet).to_contain_text(site.hana)
        await expect(sheet.get_by_role("img", name="QR code with the address of this page")).to_be_visible()
        await opened.until("document.querySelector('.qr').naturalWidth > 0")
        await sheet.get_by_role("button", name="Copy the link").click()
        await expect(sheet.get_by_role("status")).to_have_text("Link copied")
        assert await opened.page.evaluate("() => navigator.clipboard.readText()") == site.hana
        await opened.page.keyboard.press("Escape")
        await expect(sheet).to_be_hidden()
        await expect(opened.page.locator("#share")).to_be_focused()
        assert await opened.problems() == []


LONG = "とても長い名前のロボット" * 3


@pytest.mark.parametrize("locale", ["en-US", "ja-JP"])
async def test_nothing_sticks_out_from_a_small_phone_to_a_television(
    browser: Browser, live: LiveStream, locale: str
) -> None:
    feed = Feed(name_of=lambda _device: LONG)
    feed.on_state(on_air("speaking"))
    feed.on_playlist("hana", SESSION, live.url)
    feed.on_event("hana", said("https://example.com/" + "a" * 90, start=time.time() - 1))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(create_app(feed, media_origins=[live.origin])))
        opened = await open_page(stack, browser, f"{url}/r/hana", locale=locale)
        await opened.page.locator("#listen").click()
        for width, height in [(320, 568), (320, 256), (390, 844), (844, 390), (1280, 800), (3840, 2160)]:
            await opened.page.set_viewport_size({"width": width, "height": height})
            wide = await opened.page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= width, (width, height)
            small = await opened.page.evaluate(
                "() => [...document.querySelectorAll('button, input')].map((one) => [one.id, one.getBoundingClientRect()])"
                ".filter(([, box]) => box.height > 0 && (box.height < 44 || box.width < 44)).map(([id]) => id)"
            )
            assert small == [], (width, height)


async def test_less_motion_is_respected(browser: Browser, site: Site) -> None:
    site.feed.on_state(on_air("thinking"))
    async with AsyncExitStack() as stack:
        calm = await open_page(stack, browser, site.hana)
        assert await calm.page.evaluate("() => document.getAnimations().length") == 0
        lively = await open_page(stack, browser, site.hana, reduced_motion="no-preference")
        assert await lively.page.evaluate("() => document.getAnimations().length") > 0
        assert await lively.problems() == []


async def test_the_list_shows_every_robot_and_leads_to_it(browser: Browser, site: Site) -> None:
    site.feed.on_state(on_air("speaking", device="momo"))
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(visit(browser, site.url))
        cards = opened.page.locator("#robots .name")
        await expect(cards).to_have_text(["Momo", "Hana"])
        await expect(opened.page.locator("#robots .air")).to_have_text(["On air", "Off air"])
        site.feed.on_state(on_air(device="hana"))
        await expect(cards).to_have_text(["Hana", "Momo"])
        async with AsyncExitStack() as visitors:
            await open_page(visitors, browser, f"{site.url}/r/momo")
            await expect(opened.page.locator("#robots .viewers:visible")).to_have_text(["1 watching"])
        await expect(opened.page.locator("#robots .viewers:visible")).to_have_count(0)
        site.feed.on_state(card(device="hana"))
        await expect(cards).to_have_text(["Momo", "Hana"])
        assert await opened.problems() == []
        await cards.first.click()
        await expect(opened.page.locator("h1")).to_have_text("Momo")
        await opened.page.locator(".brand").click()
        await expect(cards).to_have_count(2)


async def test_an_empty_list_waits_for_the_first_robot(browser: Browser) -> None:
    feed = Feed()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(create_app(feed)))
        opened = await stack.enter_async_context(visit(browser, url))
        await expect(opened.page.locator("#empty")).to_contain_text("No robot has reported yet")
        feed.on_state(card())
        await opened.page.wait_for_url("**/r/hana")


async def test_what_is_shown_follows_from_what_is_known(browser: Browser, site: Site) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, site.hana)
        found = await opened.page.evaluate(
            """async () => {
                const at = document.querySelector("script[type=module]").src.replace("robot_page.js", "");
                const { isClosing, viewOf, wordsOf, shares, loudness } = await import(`${at}view.js`);
                const { wordBoundary } = await import(`${at}captions.js`);
                const ready = { lifecycle: "ready", phase: "idle", on_air: false, ended: false };
                return {
                    waking: viewOf({ ...ready, lifecycle: "init" }, false),
                    again: viewOf(ready, true),
                    gone: viewOf({ ...ready, lifecycle: "disconnected", phase: "speaking" }, true),
                    hidden: viewOf({ ...ready, phase: "speaking" }, false),
                    closed: ["listening", "speaking"].map((view) => wordsOf(view, { muted: true })),
                    open: wordsOf("listening", { muted: false }),
                    soon: [["speaking", true], ["speaking", false], ["ended", true]].map(([v, c]) => isClosing(v, { closing: c })),
                    loud: [loudness(-100), loudness(-12), loudness(0)],
                    both: shares(-20, { user: -30, assistant: -10 }, "listening"),
                    alone: shares(-20, null, "speaking"),
                    cuts: [0, 0.1, 0.5, 1, 2].map((share) => wordBoundary("one two three", share)),
                    kana: wordBoundary("こんにちは", 0.4),
                };
            }"""
        )
    assert found == {
        "waking": "waking",
        "again": "ended",
        "gone": "offline",
        "hidden": "offair",
        "closed": ["muted", "speaking"],
        "open": "listening",
        "soon": [True, False, False],
        "loud": [0, 1, 1],
        "both": {"user": -40, "assistant": -20},
        "alone": {"user": -100, "assistant": -20},
        "cuts": [0, 3, 7, 13, 13],
        "kana": 2,
    }


NO_STORAGE = """
Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });
"""


async def test_it_works_where_nothing_may_be_remembered(browser: Browser, site: Site) -> None:
    async with AsyncExitStack() as stack:
        opened = await open_page(stack, browser, f"{site.hana}?embed", before=NO_STORAGE)
        await expect(opened.page.locator("#state")).to_have_text(STATES["en-US"][0])
        assert await opened.problems() == []
