"""Many viewers of captions on one machine: how late each caption is for the latest of them, and what a viewer costs."""

from __future__ import annotations

import asyncio
import re
import resource
import sys
import time
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from tests.bench.rows import Row, at_most

CAPTIONS: Final = 25
_SHOWN: Final = re.compile(rb'"text":"([\d.]+)"')


async def watch(host: str, port: int, opened: asyncio.Semaphore, late: list[float]) -> None:
    """Read one event stream for ever, and note how long ago each caption was shown."""
    async with opened:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET /api/robots/hana/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        await reader.readuntil(b"event: snapshot")
    try:
        while data := await reader.read(65_536):
            now = time.monotonic()
            late += [now - float(shown) for shown in _SHOWN.findall(data)]
    finally:
        writer.close()


class _Server:
    """The other process, asked line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self, said: str = "") -> str:
        """Say something, if it is not empty, and return the next line that comes back."""
        assert self._process.stdin
        assert self._process.stdout
        if said:
            self._process.stdin.write(f"{said}\n".encode())
        return (await self._process.stdout.readline()).decode().strip()


async def measure(viewers: int) -> tuple[list[float], float]:
    """Return all delays in seconds, and the server's memory for one viewer in bytes."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.feeding", str(CAPTIONS), stdin=pipe, stdout=pipe
    )
    server = _Server(process)
    address = urlsplit(await server.line())
    late: list[float] = []
    before = int(await server.line("memory"))
    opened = asyncio.Semaphore(50)
    host, port = str(address.hostname), address.port or 0
    watching = [asyncio.create_task(watch(host, port, opened, late)) for _ in range(viewers)]
    while int(await server.line("memory")) and opened.locked():
        await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)  # until the viewer count has settled, too
    after = int(await server.line("speak"))
    async with asyncio.timeout(10):
        while len(late) < viewers * CAPTIONS:
            await asyncio.sleep(0.05)
    for task in watching:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*watching)
    assert process.stdin
    process.stdin.close()
    process.terminate()
    await process.wait()
    return late, (after - before) / viewers


async def rows(viewers: int) -> list[Row]:
    """Return the figures for so many viewers on this machine."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    late, memory = await measure(viewers)
    milliseconds = np.array(late) * 1000
    return [
        at_most(f"{viewers} caption viewers, delivery p99", float(np.percentile(milliseconds, 99)), "ms", 300),
        Row(f"{viewers} caption viewers, delivery median", float(np.median(milliseconds)), "ms"),
        at_most(f"{viewers} caption viewers, memory of one", memory / 1000, "kB", 50),
    ]
