"""hls.js, which nobody here wrote, plays the stand-in's playlist for a minute in Chromium."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np

from tests.bench.listening import broadcasting
from tests.bench.rows import Row, at_most
from tests.provisioning.local.imageflux.test_hls_js import found, player

SETTLED: Final = 5.0
"""Seconds until the player has found its place behind the edge."""


async def rows(seconds: float) -> list[Row]:
    """Return what it met and how far behind the live edge it was; bounds from 3 segments of 1 s and 1 s more."""
    async with broadcasting() as (_, _, _, _, url), player() as opened:
        await opened.page.evaluate("(url) => state.start(url)", url)
        await asyncio.sleep(SETTLED)
        await opened.page.evaluate("() => state.latency.splice(0)")
        began = float(await found(opened, "document.getElementById('video').currentTime"))
        await asyncio.sleep(seconds)
        played = float(await found(opened, "document.getElementById('video').currentTime")) - began
        fatal = len(await found(opened, "state.fatal"))
        behind = np.array(await found(opened, "state.latency"))
    return [
        at_most(f"hls.js for {seconds:g} s, fatal errors", fatal, "errors", 0),
        at_most(f"hls.js for {seconds:g} s, seconds not played", max(0.0, seconds - played), "s", 1),
        at_most(f"hls.js for {seconds:g} s, behind the live edge, p95", float(np.percentile(behind, 95)), "s", 4),
    ]
