"""From the end of a question to the first sample of its answer: what the robot and its network add to the stand-in's own delay.

The visitor of the simulated room asks; both ends are of the room, monotonic: the last sample of the question above -44 dBFS at
the microphone, the first sample above -60 dBFS at the loudspeaker. The stand-in's own delay is what it tells: from the arrival
of the last such sample to the moment at which the first packet of its answer is due. It has the silence in it that ends a turn.
"""

from __future__ import annotations

import statistics

from provisioning.local.demo.perform import Stage
from tests.bench.rows import Row, at_most

QUESTION = "What time is it?"

ADDED_MS = 120.0
"""What the robot may add."""


async def one_answer(stage: Stage, number: int) -> tuple[float, float]:
    """Ask, the `number`-th time in this room, and return milliseconds in all, and those of the stand-in."""
    assert stage.local.openai is not None
    openai, watch = stage.local.openai, stage.watch
    heard, spoken = len(openai.heard), len(openai.spoken)
    stage.robot.do("say", path=str(stage.sayings[QUESTION].path))
    over = await watch.observation("said-end", number=number)
    sounded = await watch.observation("speaker-audible", over.at)
    await watch.phase("listening")
    await watch.observation("speaker-silent", sounded.at)
    own = openai.spoken[spoken].started_at - openai.heard[heard].voice_ended
    return 1000 * (sounded.at - over.at), 1000 * own


async def answers(stage: Stage, count: int) -> list[tuple[float, float]]:
    """Return the answers to so many questions in the conversation that goes on, once its last earcon is over: on air."""
    watch = stage.watch
    on_air = await watch.until("on air", lambda: watch.marks.get("on_air"))
    await watch.observation("speaker-silent", on_air)
    return [await one_answer(stage, number) for number in range(1, count + 1)]


def rows(found: list[tuple[float, float]]) -> list[Row]:
    """Return what was measured as rows."""
    added = [total - own for total, own in found]
    return [
        Row("end of question to first sample, median", statistics.median(total for total, _ in found), "ms"),
        Row("of it, the stand-in's own delay, median", statistics.median(own for _, own in found), "ms"),
        at_most("of it, added by robot and network, median", statistics.median(added), "ms", ADDED_MS),
        Row("of it, added by robot and network, worst", max(added), "ms"),
    ]
