"""The observer page in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PATIENCE = 15.0

WATCH_THE_POLICY = """
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run one headless browser until the context ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """One open page, and everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        """Note what the console says beyond plain logging."""
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def until(self, condition: str) -> None:
        """Wait until the JavaScript `condition` holds; it is not evaluated as a string in the page, which its policy forbids."""
        look = f"() => new Promise((done) => {{ const look = () => ({condition}) ? done() : setTimeout(look, 20); look(); }})"
        async with asyncio.timeout(PATIENCE):
            await self.page.evaluate(look)

    async def problems(self) -> list[str]:
        """Return all complaints, violations of the Content-Security-Policy among them."""
        return [*self.complaints, *await self.page.evaluate("() => violations")]


@asynccontextmanager
async def visit(
    browser: Browser, url: str, *, locale: str = "en-US", before: str = "", **options: Any
) -> AsyncIterator[Visit]:
    """Open `url` in a context of its own, with the JavaScript `before` run first.

    `options` are those of Playwright's `new_context`; motion is off by default.
    """
    wanted = {"reduced_motion": "reduce", **options}
    context: BrowserContext = await browser.new_context(locale=locale, **wanted)
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    made = Visit(page)
    page.on("console", made.heard)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    await page.add_init_script(WATCH_THE_POLICY + before)
    try:
        await page.goto(url)
        yield made
    finally:
        await context.close()
