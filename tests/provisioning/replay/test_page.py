"""A record on the page, in Chromium: the sound is the robot's, and the words come with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser
from typer.testing import CliRunner

from device.errors import RecordError
from provisioning.__main__ import app
from provisioning.one_time import serve_once
from provisioning.replay.reading import read_record
from provisioning.replay.telling import replay_view
from provisioning.replay.web import replay_pages
from provisioning.spending.prices import PriceSettings
from tests.provisioning.observer.browsing import Visit, chromium, visit
from tests.provisioning.replay.records import written

in_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("records"))


@asynccontextmanager
async def replayed(folder: Path) -> AsyncIterator[str]:
    """Serve the record, and yield the address that opens once."""
    record = read_record(folder)
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()
    pages = replay_pages(record, replay_view(record, PriceSettings()))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve_once(pages, "/", told.set_result, over))
        yield await told
        over.set()


WORDS = "[...document.querySelectorAll('.captions .words')].map((each) => each.textContent)"
SPOKEN = "document.querySelector('.captions .last .spoken').textContent"
STATE = "document.getElementById('state').textContent"


async def jump(opened: Visit, at: float) -> None:
    await opened.page.evaluate(f"() => {{ kaiwa.audio.currentTime = {at} }}")
    await opened.until(f"Math.abs(kaiwa.audio.currentTime - {at}) < 1")


@in_one_loop
async def test_it_plays_with_its_words_in_step_and_jumps_both_ways(browser: Browser, folder: Path) -> None:
    async with replayed(folder) as url, visit(browser, url) as opened:
        await opened.until("globalThis.kaiwa !== undefined && kaiwa.audio.readyState > 2")
        assert await opened.page.evaluate(f"() => {WORDS}") == []
        await jump(opened, 2.9)
        await opened.page.locator("#listen").click()
        await opened.until(f"{STATE} === 'Speaking'")
        await opened.until(f"{SPOKEN}.startsWith('Rice')")
        at = await opened.page.evaluate("() => kaiwa.audio.currentTime")
        assert 3.0 <= at <= 4.0, "words come with their sound, not before"
        await opened.until("Number(document.getElementById('meter-assistant').ariaValueNow) > 50")
        await opened.page.locator("#listen").click()
        await jump(opened, 11.0)
        await opened.until(f"{WORDS}.length === 4")
        assert await opened.page.evaluate(f"() => {WORDS}[2]") == "<b>Thank you</b>"
        await opened.page.locator(".captions li").first.click()
        await opened.until(f"{WORDS}.length === 1 && kaiwa.audio.currentTime < 1")
        await opened.page.locator("#tracks [data-track=near]").click()
        await opened.until("kaiwa.audio.src.endsWith('/sound/near.ogg') && kaiwa.audio.readyState > 2")
        assert await opened.problems() == []


@in_one_loop
async def test_it_speaks_japanese_and_tells_what_is_known(browser: Browser, folder: Path) -> None:
    viewport = {"width": 320, "height": 568}
    async with replayed(folder) as url, visit(browser, url, locale="ja-JP", viewport=viewport) as opened:
        await opened.until("globalThis.kaiwa !== undefined")
        assert await opened.page.locator("#listen-words").text_content() == "再生"
        await opened.page.locator(".about summary").click()
        facts = await opened.page.locator("#facts").text_content() or ""
        assert "0.0680 USD" in facts
        assert "ロボットのそばの掲示" in facts
        assert "終了の理由ボタン" in facts
        happened = await opened.page.locator("#happened li").all_text_contents()
        assert happened[0] == "0:03応答まで820ミリ秒通信40、モデル700、ロボット80ミリ秒"
        assert await opened.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert await opened.problems() == []


@in_one_loop
async def test_the_address_opens_once_and_only_in_that_browser(folder: Path) -> None:
    async with replayed(folder) as url, aiohttp.ClientSession() as first, aiohttp.ClientSession() as second:
        origin = url.partition("/?")[0]
        assert origin.startswith("http://127.0.0.1:")
        async with second.get(f"{origin}/record.json") as answer:
            assert answer.status == 403
        async with second.get(f"{origin}/?key=guess") as answer:
            assert answer.status == 403
        async with first.get(url, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            name, value = next((each.key, each.value) for each in answer.cookies.values())
        mine = {"Cookie": f"{name}={value}"}
        async with second.get(url, allow_redirects=False) as answer:
            assert answer.status == 403, "it was opened already"
            assert not answer.cookies
        async with first.get(f"{origin}/", headers=mine) as answer:
            assert answer.status == 200
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        async with first.get(f"{origin}/sound/mixed.ogg", headers={**mine, "Range": "bytes=0-3"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"OggS")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/sound/secret.ogg", "/static/x/replay.html", "/static/x/../web.py"):
            async with first.get(origin + path, headers=mine) as answer:
                assert answer.status == 404


def test_the_command_says_what_is_no_record(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["--config", str(tmp_path / "none.toml"), "replay", str(tmp_path)])
    assert isinstance(told.exception, RecordError)
