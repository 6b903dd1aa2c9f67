"""The console in a real browser, over a real broker, with an operator's own key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import aiomqtt
import pytest
from msgspec.structs import replace

from device.messages import topics
from device.messages.commands import Verb
from device.messages.wire import encode
from provisioning.console.running import console_of
from provisioning.settings import BrokerSettings, CloudSettings
from tests.mosquitto import Fleet, fleet
from tests.provisioning.console.talk import DEVICE, card, ordered, publish, show, tool
from tests.provisioning.observer.browsing import chromium, visit

__all__ = ["fleet"]


@dataclass
class Scene:
    """A console's link, and the robot that it is for."""

    link: str
    robot: aiomqtt.Client

    @property
    def origin(self) -> str:
        return self.link.partition("/enter")[0]


@asynccontextmanager
async def scene(here: Fleet) -> AsyncIterator[Scene]:
    where = BrokerSettings(host="127.0.0.1", port=here.broker.endpoint.port)
    settings = CloudSettings(state_dir=str(here.folder.parent), broker=where)
    async with here.board(DEVICE).connect() as robot, console_of(settings, "test") as link:
        await robot.subscribe(topics.command(DEVICE), qos=1)
        await publish(robot, card())
        yield Scene(link, robot)


@pytest.fixture
async def console(fleet: Fleet) -> AsyncIterator[Scene]:
    async with scene(fleet) as made:
        yield made


async def test_nobody_comes_in_without_the_link_and_nobody_twice(console: Scene) -> None:
    async with aiohttp.ClientSession() as http, aiohttp.ClientSession() as other:
        for path in ("/", "/events?robot=hana", "/enter?key=guessed"):
            assert (await http.get(console.origin + path)).status == 403
        entered = await http.get(console.link, allow_redirects=False)
        assert entered.status == 303
        [cookie] = entered.headers.getall("Set-Cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert (await other.get(console.link, allow_redirects=False)).status == 403
        headers = {"Cookie": cookie.partition(";")[0]}
        page = await other.get(console.origin, headers=headers)
        assert page.status == 200
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        elsewhere = await other.get(console.origin, headers={**headers, "Host": "evil.example"})
        assert elsewhere.status == 421
        order = {"device": DEVICE, "verb": "stop"}
        for origin in ({}, {"Origin": "http://127.0.0.1:1"}):
            refused = await other.post(f"{console.origin}/order", json=order, headers={**headers, **origin})
            assert refused.status == 403
        wrong = await other.post(f"{console.origin}/order", data="{}", headers={**headers, "Origin": console.origin})
        assert wrong.status == 400


async def test_an_operator_sees_what_is_said_and_orders_the_robot_about(fleet: Fleet, console: Scene) -> None:
    robot = console.robot
    async with chromium() as browser, visit(browser, console.link) as opened, asyncio.timeout(30):
        page = opened.page
        assert tool(await ordered(robot)) == ("console", {"seconds": 120})
        await show(robot, time.time() - 8)
        await opened.until("document.querySelectorAll('#log .bad').length === 1")
        assert await page.locator("#log .name").first.text_content() == "error"
        assert "\u00d79" in await page.locator("#log li", has_text="output_audio_transcript.delta").inner_text()
        await page.locator("#log summary", has_text="response.created").first.click()
        assert '"status": "in_progress"' in await page.locator("#log pre").inner_text()
        await page.locator("#filter").fill("room three")
        await opened.until("document.querySelectorAll('#log li:not([hidden])').length < 4")
        assert await page.locator("#calls li").inner_text() == (
            'find_exhibit({"name":"elephant"})\n→ {"ok":true,"result":"room three"}'
        )
        assert "gpt-realtime-2.1" in await page.locator("#settings").inner_text()
        started = (await page.locator("#start-times tbody").inner_text()).split()
        assert " ".join(started) == "granted 81 ms listening 402 ms on air 655 ms"
        assert "920 ms" in await page.locator("#turn-times").inner_text()
        assert await page.locator("#levels .guest").get_attribute("points")
        await page.locator("#say-text").fill("We close at five.")
        await page.locator("#say button[value=say]").click()
        assert tool(await ordered(robot)) == ("say", {"text": "We close at five."})
        await page.locator("#say-text").fill("Where is the whale?")
        await page.locator("#say button[value=ask]").click()
        assert tool(await ordered(robot)) == ("ask", {"text": "Where is the whale?"})
        assert not await page.locator("#cut").is_visible(), "nothing is held back"
        await publish(robot, card(delay=5.0))
        await page.locator("#cut").click()
        assert tool(await ordered(robot)) == ("cut", {})
        await page.locator("#mute").click()
        assert tool(await ordered(robot)) == ("mute", {})
        await page.locator("#stop").click()
        assert (await ordered(robot, "ended")).verb is Verb.STOP
        await opened.until("document.querySelector('#answers li').textContent === 'stop: done · ended'")
        await opened.until("document.getElementById('spent-robot').textContent.startsWith('0.00 USD')")
        await publish(robot, card("reconnecting", ends_at=time.time() + 30))
        await opened.until("document.getElementById('state').textContent === 'Reconnecting for a moment, it ends soon'")
        assert await page.locator("#say button[value=ask]").is_enabled(), "it waits for the next call"
        assert await page.locator("#hush").is_disabled()
        await page.locator("#language").click()
        assert "まもなく終わります" in await page.locator("#state").inner_text()
        assert await page.locator("#stop").inner_text() == "終える"
        assert "声\nmarin" in await page.locator("#settings").inner_text()
        async with fleet.board("kiku").connect() as other:
            await other.publish(topics.state("kiku"), encode(replace(card(), device="kiku")), qos=1, retain=True)
            await page.locator("#robot").select_option("kiku")
            assert tool(await ordered(robot)) == ("console", {"seconds": 0})
        parts = ("#settings", "#calls", "#answers", "#start-times tbody", "#turn-times tbody")
        shown = [await page.locator(part).inner_text() for part in parts]
        assert shown == [""] * len(parts), "nothing of the one robot under the name of the other"
        assert await opened.problems() == []
