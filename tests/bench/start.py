"""From the press to light, sound and conversation: `make bench-start`.

Each start is a press of the robot's virtual button against the local cloud and its stand-ins, all on this computer, and
a press that ends it again. Times are the robot's own, monotonic; what the stages share is the network's loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import Stage, staged
from tests.bench.rows import Row, at_most, table, write

Start = dict[str, float]
"""Milliseconds from the press to each stage."""


async def one_start(stage: Stage) -> Start:
    """Press, wait until observers hear the robot, press again, and return what took how long."""
    watch = stage.watch
    watch.forget()
    await press(stage)
    pressed = await watch.observation("pressed")
    light = await watch.until("the light", lambda: watch.find("light", pressed.at))
    earcon = await watch.observation("speaker-audible", pressed.at)
    marks = await watch.until("on air", lambda: watch.marks if {"listening", "on_air"} <= watch.marks.keys() else None)
    await press(stage)
    await watch.phase("idle")
    await watch.observation("speaker-silent", time.monotonic() - 0.2)
    moments = {"light": light.at, "earcon": earcon.at, **marks}
    return {name: 1000 * (at - pressed.at) for name, at in moments.items()}


async def press(stage: Stage) -> None:
    """Press and release, and wait until the contact has stopped bouncing."""
    before = time.monotonic()
    stage.robot.do("press")
    stage.robot.do("release")
    await stage.watch.observation("button-release", before)


async def measured(starts: int) -> list[Row]:
    """Return the rows over `starts` starts, after one that is not counted."""
    with tempfile.TemporaryDirectory(prefix="kaiwa-bench-") as folder:
        async with staged(Path(folder), Choices(), "room", print) as stage:
            await stage.watch.phase("idle", seconds=60)
            await one_start(stage)
            found = [await one_start(stage) for _ in range(starts)]
    return [row for name in found[0] for row in rows(name, [start[name] for start in found])]


def rows(name: str, values: list[float]) -> list[Row]:
    """Return the median and the worst of one stage."""
    bounds = {"light": 100.0, "earcon": 100.0}
    median, worst = f"press to {name}, median", f"press to {name}, worst"
    if name in bounds:
        return [Row(median, statistics.median(values), "ms"), at_most(worst, max(values), "ms", bounds[name])]
    return [Row(median, statistics.median(values), "ms"), Row(worst, max(values), "ms")]


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=10, help="how many starts (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    arguments = parser.parse_args()
    found = asyncio.run(measured(arguments.starts))
    print(table(found))
    if arguments.json:
        write(found, arguments.json)


if __name__ == "__main__":
    main()
