"""What is heard where one call takes over from another: `make bench-takeover`.

Over real sockets against the stand-in, each change once in a pause into which somebody has begun to speak, and once after the
network has died in the middle of an answer. Both recordings are made block by block: what the loudspeaker was handed, and
what observers are sent. The room hums softly, so that nothing but a gap is silent.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path

from device import phase as p
from device.realtime.events import conversation_item_create, response_create
from device.realtime.settings import RealtimeSettings
from tests.bench.rows import Row, at_least, at_most, table, write
from tests.device.realtime.handset import likeness
from tests.device.test_calls import GAP_MS, SESSION, STORY_WANTED, Bench, bench

WHOLE = 0.8
"""How alike an answer and what the loudspeaker had of it must be: above it, nothing is missing."""


@dataclass(frozen=True)
class Change:
    """What one change was like."""

    gap_ms: float
    """The longest silence for observers."""
    understood: bool
    """Whether what was said across the change was understood to its first word."""
    alike: float = 1.0
    """The answers that were not cut, as the loudspeaker had them, beside what was sent: the least alike."""


async def planned() -> Change:
    """Change in a pause, into which somebody has begun to speak."""
    async with bench() as ready:
        await ready.asked("how are you")
        ready.calls.renew(1)
        await ready.until(p.SpareReady)
        await ready.room.say("thank you")
        await ready.room.blocks(12)
        ready.calls.switch(1)
        await ready.until(p.Spoken, p.Spoken(SESSION, 1))
        await ready.room.blocks(30)
        sound = ready.room.heard()
        alike = min(likeness(spoken.samples, sound) for spoken in ready.service.spoken)
        understood = [heard.text for heard in ready.service.heard] == ["How are you?", "Thank you."]
        return Change(ready.room.programme.longest_gap_ms(), understood, alike)


async def after_a_death() -> Change:
    """Let the network die in the middle of an answer, speak, and change."""
    async with bench(RealtimeSettings(silent_seconds=0.4)) as ready:
        await _tell_a_story(ready)
        ready.service.faults.loss = 1.0
        await ready.until(p.CallLost)
        ready.service.faults.loss = 0.0
        await ready.room.say("how are you")
        ready.calls.renew(1)
        await ready.until(p.SpareReady)
        ready.calls.switch(1)
        await ready.until(p.Turn, p.Turn(SESSION, p.Phase.SPEAKING, 1))
        understood = ready.service.heard[-1].text == "How are you?"
        return Change(ready.room.programme.longest_gap_ms(), understood)


async def _tell_a_story(ready: Bench) -> None:
    assert ready.calls.current is not None
    ready.calls.current.send(conversation_item_create(STORY_WANTED))
    ready.calls.current.send(response_create())
    await ready.until(p.Turn, p.Turn(SESSION, p.Phase.SPEAKING))
    await ready.room.blocks(20)


def rows(how: str, changes: list[Change]) -> list[Row]:
    """Return what so many changes were like, as rows."""
    return [
        at_most(f"{how}: longest silence for observers", max(change.gap_ms for change in changes), "ms", GAP_MS),
        at_least(
            f"{how}: changes over which every word was understood", sum(c.understood for c in changes), "", len(changes)
        ),
        at_least(f"{how}: likeness of answers as heard, least", min(change.alike for change in changes), "", WHOLE),
    ]


async def measured(changes: int) -> list[Row]:
    """Return the rows over so many changes of each kind."""
    in_pauses = [await planned() for _ in range(changes)]
    from_deaths = [await after_a_death() for _ in range(changes)]
    return [*rows("in a pause", in_pauses), *rows("network dead", from_deaths)[:2]]


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--changes", type=int, default=10, help="how many of each kind (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    arguments = parser.parse_args()
    found = asyncio.run(measured(arguments.changes))
    print(table(found))
    if arguments.json:
        write(found, arguments.json)


if __name__ == "__main__":
    main()
