"""What is alive in the robot's process and in the cloud's, and what of it must not be."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from device.bench import alive
from provisioning.imageflux import ImageFlux
from tests.day.scene import Scene

PATIENCE: Final = 45.0
"""Seconds until what a session held is gone: the longest wait is ICE consent, 30 s after the network has vanished."""

PASSING: Final = ("RequestHandler.start", "Queue.get")
"""Tasks that come and go at rest: what keeps an HTTP connection open for the next request, and one wait for one MQTT
message (aiomqtt makes a task of each), which is not there while the message before it is handled."""

POOLED: Final = ("asyncio_", "ThreadPoolExecutor")
"""Threads of pools, which grow to their size and stay."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process."""

    tasks: Counter[str]
    threads: Counter[str]
    descriptors: int
    kilobytes: int
    """Resident."""


@dataclass(frozen=True, slots=True)
class Census:
    """Both processes, and what is open at the services and in the store."""

    robot: Process
    cloud: Process
    calls: int
    channels: int
    live: int
    """Sessions that go on, in the store."""

    def left(self, before: Census) -> list[str]:
        """Return what is here and was not before, in words; nothing is as it should be."""
        found = [f"{count} {what}" for count, what in ((self.calls, "calls"), (self.channels, "channels")) if count]
        found += [f"{self.live} sessions in the store"] if self.live else []
        for name, now, then in (("robot", self.robot, before.robot), ("cloud", self.cloud, before.cloud)):
            found += [f"{name}: task {label} x{count}" for label, count in (now.tasks - then.tasks).items()]
            found += [f"{name}: thread {label} x{count}" for label, count in (now.threads - then.threads).items()]
        return found


def counted(pid: int, living: dict[str, list[str]]) -> Process:
    """Count what lives in the process `pid`, whose tasks and threads are `living` (see `device.bench.alive`)."""
    resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return Process(
        tasks=Counter(label for label in living["tasks"] if not label.endswith(PASSING)),
        threads=Counter(label for label in living["threads"] if not label.startswith(POOLED)),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        kilobytes=resident * os.sysconf("SC_PAGE_SIZE") // 1024,
    )


async def taken(scene: Scene) -> Census:
    """Count what is alive now."""
    return Census(
        robot=await _robot(scene),
        cloud=counted(os.getpid(), alive()),
        calls=len(scene.openai.calls),
        channels=len(await _channels(scene)),
        live=await _live(scene),
    )


async def settled(scene: Scene, before: Census) -> tuple[Census, list[str]]:
    """Wait until nothing is left that was not there `before`; return the census, and what stays all the same."""
    deadline = time.monotonic() + PATIENCE
    while (left := (now := await taken(scene)).left(before)) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)  # tasks and threads tell nobody
    return now, left


async def _robot(scene: Scene) -> Process:
    asked = time.monotonic()
    scene.stage.robot.do("census")
    seen = await scene.stage.watch.observation("census", asked)
    return counted(scene.stage.robot.pid, seen.detail)


async def _channels(scene: Scene) -> Sequence[str]:
    troubled, scene.imageflux.faults.api_status = scene.imageflux.faults.api_status, 0
    try:
        async with aiohttp.ClientSession() as http:
            return await ImageFlux(http, scene.imageflux.api_url, scene.imageflux.settings.token).channels()
    finally:
        scene.imageflux.faults.api_status = troubled


async def _live(scene: Scene) -> int:
    async with scene.stage.local.cloud.store.transaction() as t:
        return await t.sessions.count_live()
