"""The seed article's page, for the benches that compare with it: served from memory, opened in Debian's Chromium."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web
from playwright.async_api import Page, async_playwright

from provisioning.imageflux import ImageFlux
from provisioning.local.cloud import LocalCloud
from provisioning.observer.assets import STATIC
from tests.provisioning.observer.browsing import CHROMIUM
from tests.provisioning.observer.live_stream import serving

HERE = Path(__file__).parent
ARGS = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)


def application(local: LocalCloud, http: ClientSession) -> web.Application:
    """Return the page's server: its files, and what the article's server mints for it."""

    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return web.FileResponse(STATIC / "vendor" / "sora.js" if name == "sora.js" else HERE / name)

    async def grant(_request: web.Request) -> web.StreamResponse:
        return web.json_response(await minted(local, http))

    app = web.Application()
    app.add_routes([web.get("/grant", grant), web.get("/{name}", file)])
    return app


async def minted(local: LocalCloud, http: ClientSession) -> dict[str, str]:
    """Return a short-lived secret, and a channel to broadcast on."""
    assert local.openai is not None
    assert local.imageflux is not None
    key = local.openai.settings.api_key.reveal()
    async with http.post(
        f"{local.openai.base_url}/realtime/client_secrets",
        json={"session": {"type": "realtime", "model": "gpt-realtime"}},
        headers={"Authorization": f"Bearer {key}"},
    ) as response:
        secret = (await response.json())["value"]
    channel = await ImageFlux(http, local.imageflux.api_url, local.imageflux.settings.token).create_channel()
    return {
        "base_url": local.openai.base_url,
        "secret": secret,
        "signalling_url": channel.signalling_url,
        "channel_id": channel.channel_id,
    }


@asynccontextmanager
async def opened(local: LocalCloud, environment: dict[str, str], *more: str) -> AsyncIterator[Page]:
    """Open the page in a headless Chromium of its own; `environment` leads to its sound card, `more` are arguments."""
    async with (
        ClientSession() as http,
        serving(application(local, http)) as url,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*ARGS, *more],
            ignore_default_args=["--mute-audio"],
            env=dict(os.environ | environment),
        )
        page = await browser.new_page()
        await page.goto(f"{url.replace('127.0.0.1', 'localhost')}/page.html")
        await page.wait_for_function("globalThis.article !== undefined")
        yield page
        await browser.close()
