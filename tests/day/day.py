"""The day itself: session after session, a census after each, and the verdict on all of them."""

from __future__ import annotations

import ctypes
import gc
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from provisioning.local.demo.perform import Stage
from provisioning.local.demo.watch import DemoError
from tests.bench.rows import Row, at_least, at_most
from tests.day.census import Census, settled, taken
from tests.day.courses import drawn, short_talk
from tests.day.scene import Scene

WARM_UP: Final = 2
"""Sessions that are not counted: what is made once, such as pools and caches, is made in them."""

SPARE_DESCRIPTORS: Final = 8
"""HTTP connections that are kept open for the next request, and closed after 15 s without one."""

GROWTH_KILOBYTES: Final = 12.0
"""A session, at most: in three hundred less than 4 MB."""

TELLING: Final = 250
"""Sessions after which growth is told from what is made once, such as the heap's first pieces."""


@dataclass(slots=True)
class Day:
    """What was played, and what came of it."""

    seed: int
    played: Counter[str] = field(default_factory=Counter)
    stuck: list[str] = field(default_factory=list)
    """Steps that were waited for in vain."""
    left: list[str] = field(default_factory=list)
    """What was alive after a session and should not have been."""
    before: Census | None = None
    after: Census | None = None
    """The last one; of the others only the memory is kept, or this day would grow by itself."""
    memory: list[tuple[int, int]] = field(default_factory=list)
    """Of robot and cloud after each session, in kB."""
    seconds: float = 0.0


async def played(stage: Stage, seed: int, sessions: int, say: Callable[[str], None], *, quick: bool = False) -> Day:
    """Play so many sessions, drawn with `seed`; each session's draws depend on its number and the seed alone."""
    day, began = Day(seed), time.monotonic()
    scene = Scene(stage, random.Random(f"{seed} warm-up"))
    for _ in range(1 if quick else WARM_UP):
        await short_talk(scene)
    day.before, _ = await settled(scene, await taken(scene))
    for number in range(1, sessions + 1):
        await _one(day, Scene(stage, random.Random(f"{seed} {number}"), scene.asked), number, say, quick=quick)
    day.seconds = time.monotonic() - began
    return day


def _tidied_up() -> None:
    """Leave only what is in use: the stand-ins' peer connections are cycles that the collector comes to some time, and glibc
    keeps what is free between what is not (malloc_trim(3))."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


async def _one(day: Day, scene: Scene, number: int, say: Callable[[str], None], *, quick: bool) -> None:
    assert day.before is not None
    course, began = drawn(scene.chance, quick=quick), time.monotonic()
    scene.stage.watch.forget()
    scene.openai.forget()
    day.played[course.name] += 1
    try:
        await course.play(scene)
    except (DemoError, AssertionError) as error:
        day.stuck.append(f"session {number}, {course.name}: {error}")
        say(day.stuck[-1])
        await _recover(day, scene, number)
    scene.all_well()
    if not quick:
        _tidied_up()
    census, left = await settled(scene, day.before)
    day.after = census
    day.memory.append((census.robot.kilobytes, census.cloud.kilobytes))
    if left:
        day.left.append(f"session {number}, {course.name}: {'; '.join(left)}")
        say(day.left[-1])
        day.before = census  # said once
    say(f"{number:4} {course.name:20} {time.monotonic() - began:5.1f} s  robot {census.robot.kilobytes} kB")


async def _recover(day: Day, scene: Scene, number: int) -> None:
    """Bring the robot to rest for the next session."""
    scene.all_well()
    try:
        if scene.stage.watch.state is not None and scene.stage.watch.state.phase not in {"idle", "fault"}:
            await scene.press()
        await scene.rest(seconds=60)
    except DemoError as error:
        day.stuck.append(f"session {number}: it does not come to rest: {error}")


def growth(kilobytes: Sequence[int]) -> float:
    """Return how much memory each session adds, in kB: the median slope between the second third and the last."""
    third = len(kilobytes) // 3
    if not third:
        return 0.0
    middle, last = kilobytes[third : 2 * third], kilobytes[2 * third :]
    return (statistics.median(last) - statistics.median(middle)) / third


def _unjudged(name: str, value: float, unit: str, must: float) -> Row:
    return Row(name, value, unit, f"<= {must:g} in a whole day")


def verdict(day: Day) -> list[Row]:
    """Return the rows of the report."""
    assert day.before is not None
    assert day.after is not None
    rows = [
        at_least("sessions played", sum(day.played.values()), "", 1),
        Row("different courses", len(day.played), ""),
        at_most("stuck", len(day.stuck), "", 0),
        at_most("sessions that left something", len(day.left), "", 0),
        Row("duration", day.seconds, "s"),
    ]
    for name, first, after in (
        ("robot", day.before.robot, day.after.robot),
        ("cloud", day.before.cloud, day.after.cloud),
    ):
        spare = first.descriptors + SPARE_DESCRIPTORS
        rows.append(at_most(f"{name}: descriptors at the end", after.descriptors, "", spare))
        rows.append(Row(f"{name}: memory at the end", after.kilobytes / 1024, "MB"))
        per_session = growth([both[name == "cloud"] for both in day.memory])
        grown = f"{name}: memory, growth"
        judged = len(day.memory) >= TELLING
        rows.append((at_most if judged else _unjudged)(grown, per_session, "kB/session", GROWTH_KILOBYTES))
    return rows
