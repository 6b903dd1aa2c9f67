"""A minute of conversation as people would have it: the device, and Chromium with the seed article's page.

Method: the local cloud and its stand-ins; microphone and speaker are null sinks of a private PulseAudio, and the
microphone hears the speaker 60 ms later. Every eight seconds somebody asks for a story, which is answered until the
next question interrupts it. Both do the same job: echo control, conversation, mix, broadcast, captions or the list of
events. They take turns, each started anew, because this computer is faster in one minute than in the next: what is compared
is the mean of the turns. Processor time and memory are the kernel's, of all of the device's and of all of Chromium's
processes. The event loop's lag is what the device itself reports. Ready is from the start of `kaiwa-device run` to what it
tells systemd.
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

from device.messages.commands import Verb
from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import Stage, remote, staged
from provisioning.local.demo.visitor import QUESTION
from tests.bench import article
from tests.bench.processes import Cost, cost, pids, started
from tests.bench.rows import Row, at_most
from tests.pulse import PulseServer, pulse_server

EVERY: Final = 8.0
"""Seconds from one question to the next."""
TURN: Final = 32.0
"""Seconds of conversation that are measured in one turn."""
TURNS: Final = 3
"""How many each of the two takes."""
STARTS: Final = 5
"""Times that the device is started to see when it is ready."""
ECHO_MS: Final = 60
BROWSER: Final = "/lib/chromium/"
"""What stands in the command line of each of its processes, and not in that of this bench."""


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


async def ours(pulse: PulseServer, stage: Stage, pid: int, seconds: float) -> tuple[Minute, dict[str, float]]:
    """Let the device talk, and return what it cost and what it counted."""
    await remote(stage, Verb.START, _say_nothing)
    await stage.watch.until("on air", lambda: {"listening", "on_air"} <= stage.watch.marks.keys() or None)
    await talk(pulse, stage, EVERY)  # what is only done once is not of the minute
    before = cost([pid])
    await talk(pulse, stage, seconds)
    spent = minute(before, cost([pid]), seconds)
    counters = dict(stage.watch.metrics.counters) if stage.watch.metrics else {}
    await remote(stage, Verb.STOP, _say_nothing)
    await stage.watch.phase("idle")
    return spent, counters


async def browser(pulse: PulseServer, stage: Stage, seconds: float) -> Minute:
    """Let the article's page talk, and return what Chromium cost."""
    async with article.opened(stage.local, pulse.environment) as page:
        await page.evaluate("() => article.begin()")
        await talk(pulse, stage, EVERY)
        before = cost(pids(BROWSER))
        await talk(pulse, stage, seconds)
        return minute(before, cost(pids(BROWSER)), seconds)


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


@asynccontextmanager
async def device(config: Path, folder: Path) -> AsyncIterator[tuple[int, float]]:
    """Run the device, without anything that is only there for tests; yield its pid and its seconds until ready."""
    loop = asyncio.get_running_loop()
    with systemd(folder) as listening:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "device", "run", "--config", str(config)), stderr=asyncio.subprocess.DEVNULL
        )
        while b"READY=1" not in await loop.sock_recv(listening, 4096):
            pass
        try:
            yield process.pid, loop.time() - started(process.pid)
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def cloud(folder: Path, pulse: PulseServer) -> AsyncIterator[tuple[Stage, Path]]:
    """Bring up a cloud with one enrolled robot that does not run, and yield the robot's settings, with this sound card."""
    os.environ.update(pulse.environment)
    async with staged(folder, Choices(), "pyaudio", _say_nothing) as stage:
        await stage.watch.phase("idle", seconds=60)
        stage.watch.outlive()
        await stage.robot.stop()
        config = stage.folder / "device.toml"
        config.write_text(_usual(config.read_text()))
        yield stage, config


@dataclass(frozen=True)
class Turn:
    """One turn of the device, and of the browser if there is one."""

    ready: float
    """Seconds until the device was."""
    spent: Minute
    counters: dict[str, float]
    chromium: Minute | None


async def turn(pulse: PulseServer, stage: Stage, config: Path, seconds: float, *, with_browser: bool) -> Turn:
    """Let each talk for `seconds`, one after the other."""
    stage.watch.forget()
    async with device(config, stage.folder) as (pid, took):
        await stage.watch.phase("idle")
        spent, counters = await ours(pulse, stage, pid, seconds)
    return Turn(took, spent, counters, await browser(pulse, stage, seconds) if with_browser else None)


async def measured(folder: Path, seconds: float, turns: int, *, with_browser: bool) -> list[Row]:
    """Return every row of this file."""
    (folder / "pulse").mkdir()
    with pulse_server(folder / "pulse", shared_memory=True) as pulse, pulse.echo_path(ECHO_MS):
        async with cloud(folder / "stage", pulse) as (stage, config):
            taken = [await turn(pulse, stage, config, seconds, with_browser=with_browser) for _ in range(turns)]
            starts = [one.ready for one in taken] + [await _ready(config, folder) for _ in range(STARTS - turns)]
    peers = [one.chromium for one in taken if one.chromium is not None]
    rows = cost_rows(mean([one.spent for one in taken]), mean(peers) if peers else None)
    return [*rows, *lag_rows([one.counters for one in taken]), *ready_rows(starts)]


def mean(turns: list[Minute]) -> Minute:
    """Return the mean processor time and the most memory of several turns."""
    return Minute(statistics.fmean(one.cpu for one in turns), max(one.memory for one in turns))


async def _ready(config: Path, folder: Path) -> float:
    async with device(config, folder) as (_, took):
        return took


def _usual(settings: str) -> str:
    """Return the settings of a stage with reports as often as a robot makes them, but for the meters that are read here."""
    for here, usual in (
        ("heartbeat_seconds = 0.5", "heartbeat_seconds = 10.0"),
        ("metrics_seconds = 0.2", "metrics_seconds = 2.0"),
    ):
        assert here in settings, f"the stage has no {here}"
        settings = settings.replace(here, usual)
    return settings


def _say_nothing(_text: str) -> None:
    pass


def cost_rows(ours: Minute, chromium: Minute | None) -> Iterator[Row]:
    """Yield processor time and memory, next to the browser's."""
    name = "live, processor time of one minute"
    if chromium is None:
        yield Row(name, ours.cpu, "s")
    else:
        must, aim = 0.6 * chromium.cpu, 0.4 * chromium.cpu
        bounds = (f"<= {must:.1f}", f"<= {aim:.1f}")
        yield Row(name, ours.cpu, "s", *bounds, peers={"chromium": chromium.cpu}, ok=ours.cpu <= must)
    resident = at_most("live, resident memory", ours.memory, "MB", 130, 95)
    peers = {} if chromium is None else {"chromium": chromium.memory}
    yield Row(resident.name, resident.value, resident.unit, resident.must, resident.aim, peers, resident.ok)


def lag_rows(turns: list[dict[str, float]]) -> Iterator[Row]:
    """Yield the event loop's lag in the worst of the turns, and what the sound card missed in all of them."""
    yield at_most("live, event-loop lag, p99", max(turn["loop_lag_p99_ms"] for turn in turns), "ms", 10, 5)
    yield Row("live, event-loop lag, worst", max(turn["loop_lag_worst_ms"] for turn in turns), "ms")
    yield Row("live, xruns", sum(turn["input_xruns"] + turn["output_xruns"] for turn in turns), "")
    yield Row("live, echo removed, at the end", statistics.median(turn["echo_loss_db"] for turn in turns), "dB")


def ready_rows(starts: list[float]) -> Iterator[Row]:
    """Yield how long a start takes."""
    yield at_most("run to ready, median", statistics.median(starts), "s", 1.5, 0.8)
    yield Row("run to ready, worst", max(starts), "s")


def rows(folder: Path, *, quick: bool, with_browser: bool) -> list[Row]:
    """Measure three turns, or with `quick` one of 16 seconds."""
    seconds, turns = (16.0, 1) if quick else (TURN, TURNS)
    return asyncio.run(measured(folder, seconds, turns, with_browser=with_browser))
