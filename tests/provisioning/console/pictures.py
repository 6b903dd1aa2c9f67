"""Draw docs/pictures/console-*.png: `python -m tests.provisioning.console.pictures [FOLDER]`, over a real broker."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser

from device.messages import topics
from provisioning.authority import MINTER, Authority
from provisioning.console.running import console_of
from provisioning.mosquitto import MosquittoProcess
from provisioning.settings import BrokerSettings, CloudSettings
from tests.mosquitto import Fleet
from tests.provisioning.console.talk import DEVICE, card, ordered, publish, show
from tests.provisioning.observer.browsing import chromium, visit

FOLDER = Path("docs/pictures")
DESKTOP = {"width": 1360, "height": 860}
BEGAN = 1_795_600_800.0
"""Unix seconds at which the conversation of the picture began: in November 2026."""


async def draw(folder: Path, browser: Browser, language: str, locale: str) -> None:
    with tempfile.TemporaryDirectory(prefix="kaiwa-") as place:
        home = Path(place)
        authority = Authority.open(home, ("127.0.0.1", "localhost"), time.time())
        authority.service(MINTER, time.time())
        authority.operator("ann", time.time())
        async with MosquittoProcess(authority, home / "broker") as broker:
            settings = CloudSettings(state_dir=place, broker=BrokerSettings(port=broker.endpoint.port))
            here = Fleet(broker, authority, home / "boards")
            async with here.board(DEVICE).connect() as robot, console_of(settings, "ann") as link:
                await robot.subscribe(topics.command(DEVICE), qos=1)
                await publish(robot, card("speaking"))
                async with visit(browser, link, locale=locale, viewport=DESKTOP) as opened:
                    await ordered(robot)
                    await show(robot, BEGAN)
                    await opened.until("document.querySelectorAll('#log .bad').length === 1")
                    await opened.page.locator("#say-text").fill("We close at five.")
                    await opened.page.locator("#say button[value=say]").click()
                    await ordered(robot)
                    await opened.until("document.querySelectorAll('#answers li').length === 2")
                    await opened.page.locator("#log summary", has_text="conversation.item.create").first.click()
                    await opened.page.screenshot(path=folder / f"console-{language}.png")


async def main(folder: Path) -> None:
    async with chromium() as browser:
        for language, locale in (("en", "en-US"), ("ja", "ja-JP")):
            await draw(folder, browser, language, locale)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
