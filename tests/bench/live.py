"""A minute of conversation as people would have it: the device, and Chromium with the seed article's page.

Method: the local cloud and its stand-ins; microphone and speaker are null sinks of a private PulseAudio, and the
microphone hears the speaker 60 ms later. Every eight seconds somebody asks for a story, which is answered until the
next question interrupts it. Both do the same job: echo control, conversation, mix, broadcast, captions or the list of
events. Processor time and memory are the kernel's, of all of the device's and of all of Chromium's processes. The
event loop's lag is what the device itself reports. Ready is from the start of `kaiwa-device run` to what it tells
systemd.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import Stage, staged
from provisioning.local.demo.visitor import QUESTION
from tests.bench import article
from tests.bench.processes import Cost, cost, pids, started
from tests.bench.rows import Row, at_most
from tests.pulse import PulseServer, pulse_server

EVERY: Final = 8.0
"""Seconds from one question to the next."""
STARTS: Final = 5
"""Times that the device is started to see when it is ready."""
ECHO_MS: Final = 60


@dataclass(frozen=True)
class Minute:
    """What one minute cost."""

    cpu: float
    memory: float


async def talk(pulse: PulseServer, stage: Stage, seconds: float) -> None:
    """Ask again and again for `seconds`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(round(seconds / EVERY)):
        await asyncio.sleep(began + number * EVERY - loop.time())
        speaking = await asyncio.create_subprocess_exec(
            *("paplay", "-d", "room", str(stage.sayings[QUESTION].path)), env=os.environ | pulse.environment
        )
        await speaking.wait()
    await asyncio.sleep(max(0.0, began + seconds - loop.time()))


def minute(before: Cost, after: Cost, seconds: float) -> Minute:
    """Return what a minute costs at this rate, and the memory at its end."""
    return Minute((after.cpu - before.cpu) * 60.0 / seconds, after.memory)


async def ours(pulse: PulseServer, stage: Stage, seconds: float) -> tuple[Minute, dict[str, float]]:
    """Let the device talk, and return what it cost and what it counted."""
    stage.robot.do("press")
    stage.robot.do("release")
    await stage.watch.until("on air", lambda: {"listening", "on_air"} <= stage.watch.marks.keys() or None)
    device = pids("device", "run", str(stage.folder))
    await talk(pulse, stage, EVERY)  # what is only done once is not of the minute
    before = cost(device)
    await talk(pulse, stage, seconds)
    spent = minute(before, cost(device), seconds)
    counters = dict(stage.watch.metrics.counters) if stage.watch.metrics else {}
    stage.robot.do("press")
    stage.robot.do("release")
    await stage.watch.phase("idle")
    return spent, counters


async def browser(pulse: PulseServer, stage: Stage, seconds: float) -> Minute:
    """Let the article's page talk, and return what Chromium cost."""
    async with article.opened(stage.local, pulse.environment) as page:
        await page.evaluate("() => article.begin()")
        await talk(pulse, stage, EVERY)
        before = cost(pids("chromium"))
        await talk(pulse, stage, seconds)
        return minute(before, cost(pids("chromium")), seconds)


@contextmanager
def systemd(folder: Path) -> Iterator[socket.socket]:
    """Listen where systemd would, for the programs that are started in the block."""
    address = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(address)
        listening.setblocking(False)
        os.environ["NOTIFY_SOCKET"] = address
        try:
            yield listening
        finally:
            del os.environ["NOTIFY_SOCKET"]
            Path(address).unlink()


async def ready(config: Path, folder: Path) -> float:
    """Start the device, and return the seconds until it says that it is ready."""
    loop = asyncio.get_running_loop()
    with systemd(folder) as listening:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "device", "run", "--config", str(config)), stderr=asyncio.subprocess.DEVNULL
        )
        while b"READY=1" not in await loop.sock_recv(listening, 4096):
            pass
        took = loop.time() - started(process.pid)
        process.terminate()
        await process.wait()
    return took


@asynccontextmanager
async def robot(folder: Path, pulse: PulseServer) -> AsyncIterator[Stage]:
    """Bring up cloud and robot on this sound card."""
    os.environ.update(pulse.environment)
    async with staged(folder, Choices(), "pyaudio", lambda _: None) as stage:
        await stage.watch.phase("idle", seconds=60)
        yield stage


async def measured(folder: Path, seconds: float, *, with_browser: bool) -> list[Row]:
    """Return every row of this file."""
    (folder / "pulse").mkdir()
    with pulse_server(folder / "pulse") as pulse, pulse.echo_path(ECHO_MS):
        async with robot(folder / "stage", pulse) as stage:
            device, counters = await ours(pulse, stage, seconds)
            chromium = await browser(pulse, stage, seconds) if with_browser else None
            await stage.robot.stop()
            starts = [await ready(stage.folder / "device.toml", folder) for _ in range(STARTS)]
    return [*cost_rows(device, chromium), *lag_rows(counters), *ready_rows(starts)]


def cost_rows(device: Minute, chromium: Minute | None) -> Iterator[Row]:
    """Yield processor time and memory, next to the browser's."""
    name = "live, processor time of one minute"
    if chromium is None:
        yield Row(name, device.cpu, "s")
    else:
        must, aim = 0.6 * chromium.cpu, 0.4 * chromium.cpu
        bounds = (f"<= {must:.1f}", f"<= {aim:.1f}")
        yield Row(name, device.cpu, "s", *bounds, peers={"chromium": chromium.cpu}, ok=device.cpu <= must)
    resident = at_most("live, resident memory", device.memory, "MB", 130, 95)
    peers = {} if chromium is None else {"chromium": chromium.memory}
    yield Row(resident.name, resident.value, resident.unit, resident.must, resident.aim, peers, resident.ok)


def lag_rows(counters: dict[str, float]) -> Iterator[Row]:
    """Yield the event loop's lag, and what the sound card missed."""
    yield at_most("live, event-loop lag, p99", counters["loop_lag_p99_ms"], "ms", 10, 5)
    yield Row("live, event-loop lag, worst of the minute", counters["loop_lag_worst_ms"], "ms")
    yield Row("live, xruns", counters["input_xruns"] + counters["output_xruns"], "")
    yield Row("live, echo removed, at the end", counters["echo_loss_db"], "dB")


def ready_rows(starts: list[float]) -> Iterator[Row]:
    """Yield how long a start takes."""
    yield at_most("run to ready, median", statistics.median(starts), "s", 1.5, 0.8)
    yield Row("run to ready, worst", max(starts), "s")


def rows(folder: Path, *, quick: bool, with_browser: bool) -> list[Row]:
    """Measure a minute, or with `quick` 16 seconds."""
    return asyncio.run(measured(folder, 16.0 if quick else 64.0, with_browser=with_browser))
