"""Draw docs/pictures/terminal.png: `python -m tests.provisioning.local.demo.pictures`."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from playwright.async_api import async_playwright
from rich.console import Console

from device.messages.reports import Caption, Levels, Speaker
from provisioning.local.demo.view import Snapshot, render

PICTURE = Path("docs/pictures/terminal.png")

SHOT = Snapshot(
    robot="demo",
    phase="speaking",
    on_air=True,
    levels=Levels(user=-58.0, assistant=-19.5, programme=-20.9),
    counters={
        "downlink_target_ms": 40.0,
        "downlink_waiting_ms": 43.0,
        "downlink_decoded": 512.0,
        "downlink_recovered": 3.0,
        "downlink_concealed": 0.0,
        "echo_loss_db": 41.0,
        "blocks": 1204.0,
    },
    captions=(
        Caption(session="s", id="1", speaker=Speaker.USER, text="Tell me a story.", start=0, end=1.4, final=True),
        Caption(
            session="s",
            id="2",
            speaker=Speaker.ASSISTANT,
            text="Once upon a time there was a small robot who lived on a kitchen shelf. Every morning it listened to "
            "the kettle, and every evening it listened to the rain.",
            start=2,
            end=12,
        ),
    ),
    now=7.4,
    page_url="http://127.0.0.1:8080/r/demo",
    playlist="http://127.0.0.1:41313/hls/af6cf847…/index.m3u8",
    keys=(("space", "the button"), ("1-4", "let the visitor ask"), ("s/x", "start/stop from afar"), ("q", "quit")),
    stood_in=("button and lights", "microphone and speaker", "OpenAI Realtime", "ImageFlux Live Streaming"),
)


async def draw() -> None:
    console = Console(width=104, record=True, file=io.StringIO(), force_terminal=True)
    console.print(render(SHOT))
    svg = console.export_svg(title="make demo")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1290, "height": 640}, device_scale_factor=1)
        await page.set_content(f"<style>body{{margin:0;background:#f6f1e7}}svg{{width:1290px}}</style>{svg}")
        await page.locator("svg").screenshot(path=PICTURE)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
