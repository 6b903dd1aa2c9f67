"""Make the pictures of a record that is played back, for `docs/pictures`, from the real page in headless Chromium.

Run it from the top of the repository: `python -m tests.provisioning.replay.pictures [FOLDER]`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Browser

from device.messages.reports import Speaker
from tests.provisioning.observer.browsing import chromium, visit
from tests.provisioning.observer.pictures import DESKTOP, FOLDER, LOCALES, NAMES, TALKS
from tests.provisioning.replay.records import written
from tests.provisioning.replay.test_page import replayed

TIMES = [(0.6, 2.0), (2.8, 5.2), (5.8, 7.0), (7.8, 11.2)]


def talk(language: str) -> list[tuple[Speaker, str, float, float]]:
    """Return the conversation of the other pictures, in the time of the record."""
    return [(who, text, *times) for (who, text), times in zip(TALKS[language], TIMES, strict=True)]


async def take(browser: Browser, folder: Path, language: str) -> bytes:
    """Return a picture of the page in the middle of the last sentence."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(replayed(folder))
        opened = await stack.enter_async_context(visit(browser, url, locale=LOCALES[language], viewport=DESKTOP))
        await opened.until("globalThis.kaiwa !== undefined && kaiwa.audio.readyState > 2")
        await opened.page.locator(".about summary").click()
        await opened.page.evaluate("() => { kaiwa.audio.currentTime = 8.8 }")
        await opened.page.locator("#listen").click()
        await opened.page.mouse.move(640, 780)
        await opened.until("Number(document.getElementById('meter-assistant').ariaValueNow) > 60")
        await opened.until("kaiwa.audio.currentTime > 9.4 && document.fonts.status === 'loaded'")
        return await opened.page.screenshot()


async def main(folder: Path) -> None:
    """Write the pictures into `folder`."""
    with tempfile.TemporaryDirectory() as shelf:
        async with chromium() as browser:
            for language, name in NAMES.items():
                record = written(Path(shelf) / language, talk=talk(language), device=name)
                (folder / f"page-replay-{language}.png").write_bytes(await take(browser, record, language))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
