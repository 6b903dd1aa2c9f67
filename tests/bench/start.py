"""From the press to light, sound and conversation: `make bench-start`.

Each start is a press of the robot's virtual button against the local cloud and its stand-ins, all on this computer, and
a press that ends it again. Times are the robot's own, monotonic; what the stages share is the network's loopback. Beside
it Chromium opens the seed article's page against the same stand-ins, which goes on air one thing after the other; its
times begin when its button would have been clicked. The waterfall shows each start in its steps, beside what the same steps
take alone (`steps`). At last the visitor asks questions, and what the robot adds to the stand-in's delay is told (`answers`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from provisioning.local.cloud import Choices
from provisioning.local.demo.perform import Stage, staged
from tests.bench import answers, article, steps
from tests.bench.rows import Row, at_most, table, write

COMPARED: Final = {"listening", "on_air"}
"""Stages that must not be later than in the browser; what that is granted comes by plain HTTP, and sealed by nobody."""

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


async def in_browser(stage: Stage, starts: int) -> list[Start]:
    """Let the article's page begin so often, after once that is not counted; return what took how long."""
    async with article.opened(stage.local, {}, "--use-fake-device-for-media-stream") as page:
        found = []
        for _ in range(starts + 1):
            found.append(await page.evaluate("() => article.begin()"))
            await page.reload()
            await page.wait_for_function("globalThis.article !== undefined")
    return found[1:]


async def measured(starts: int, *, with_browser: bool) -> list[Row]:
    """Return the rows over `starts` starts, after one that is not counted."""
    with tempfile.TemporaryDirectory(prefix="kaiwa-bench-") as folder:
        async with staged(Path(folder), Choices(), "room", print) as stage:
            await stage.watch.phase("idle", seconds=60)
            await one_start(stage)
            found = [await one_start(stage) for _ in range(starts)]
            others = await in_browser(stage, starts) if with_browser else []
            alone = await steps.steps(stage, starts)
            answered = await in_conversation(stage, starts)
    names = list(found[0])
    return [
        *(
            row
            for name in names
            for row in rows(name, [start[name] for start in found], [other[name] for other in others if name in other])
        ),
        *waterfall(found, alone),
        *answers.rows(answered),
    ]


async def in_conversation(stage: Stage, count: int) -> list[tuple[float, float]]:
    """Begin a conversation, ask so many questions, and end it."""
    stage.watch.forget()
    await press(stage)
    await stage.watch.phase("listening")
    found = await answers.answers(stage, count)
    await press(stage)
    await stage.watch.phase("idle")
    return found


def waterfall(found: list[Start], alone: dict[str, float]) -> list[Row]:
    """Return how long each step of a start took, the steps that none can do without, and whether the robot's are not longer."""
    steps_of_ours = (("asked", "granted"), ("granted", "listening"), ("granted", "on_air"))
    drawn = [
        Row(f"{before} to {after}, median", statistics.median(start[after] - start[before] for start in found), "ms")
        for before, after in steps_of_ours
    ]
    least = sum(alone.values())
    median = statistics.median(start["listening"] for start in found)
    bound = least + steps.SLACK_MS
    return [
        *drawn,
        *(Row(f"alone: {name}, median", value, "ms") for name, value in alone.items()),
        Row(
            "press to listening beside its steps",
            median,
            "ms",
            f"<= {least:.0f} + {steps.SLACK_MS:.0f}",
            ok=median <= bound,
        ),
    ]


async def both_ways(starts: int) -> list[Row]:
    """Return the rows over so many starts of two robots in turn: one opens its calls itself, the other's cloud does."""
    with tempfile.TemporaryDirectory(prefix="kaiwa-bench-") as folder:
        stages = (staged(Path(folder, str(way)), Choices(exchange=way), "room", print) for way in (False, True))
        async with next(stages) as by_secret, next(stages) as by_exchange:
            for stage in (by_secret, by_exchange):
                await stage.watch.phase("idle", seconds=60)
                await one_start(stage)
            found = [(await one_start(by_secret), await one_start(by_exchange)) for _ in range(starts)]
    return [row for name in ("granted", "listening") for row in _beside(name, found)]


def _beside(name: str, found: list[tuple[Start, Start]]) -> list[Row]:
    medians = [statistics.median(start[way][name] for start in found) for way in (0, 1)]
    return [
        Row(f"press to {name} by {way}, median", median, "ms")
        for way, median in zip(("secret", "exchange"), medians, strict=True)
    ]


def rows(name: str, values: list[float], others: list[float]) -> list[Row]:
    """Return the median and the worst of one stage, the median beside the browser's where it has that stage."""
    bounds = {"light": 100.0, "earcon": 100.0}
    median, worst = f"press to {name}, median", f"press to {name}, worst"
    middle, largest = statistics.median(values), max(values)
    if name in bounds:
        return [Row(median, middle, "ms"), at_most(worst, largest, "ms", bounds[name])]
    if not others:
        return [Row(median, middle, "ms"), Row(worst, largest, "ms")]
    theirs = {"chromium": statistics.median(others)}
    beside = Row(median, middle, "ms", peers=theirs)
    if name in COMPARED:
        must = theirs["chromium"]
        beside = Row(median, middle, "ms", f"<= {must:.0f}", peers=theirs, ok=middle <= must)
    return [beside, Row(worst, largest, "ms", peers={"chromium": max(others)})]


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=10, help="how many starts (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument("--alone", action="store_true", help="without Chromium beside it")
    parser.add_argument("--both-ways", action="store_true", help="beside calls that the cloud opens, and nothing else")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)  # the leash complains of what is published to nobody
    if arguments.both_ways:
        found = asyncio.run(both_ways(arguments.starts))
    else:
        found = asyncio.run(measured(arguments.starts, with_browser=not arguments.alone))
    print(table(found))
    if arguments.json:
        write(found, arguments.json)


if __name__ == "__main__":
    main()
