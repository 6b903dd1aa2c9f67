from __future__ import annotations

import asyncio

from provisioning.waiting import Waiting


async def test_whoever_says_the_same_a_thousand_times_waits_once_and_in_turn() -> None:
    waiting = Waiting()
    for name in [*"abb", *"a" * 1000]:
        waiting.put(name)
    assert len(waiting) == 2
    assert await waiting.get() == "a"
    waiting.put("a")
    assert [await waiting.get(), await waiting.get()] == ["b", "a"]
    assert len(waiting) == 0


async def test_who_takes_may_come_first() -> None:
    waiting = Waiting()
    taking = asyncio.create_task(waiting.get())
    await asyncio.sleep(0)
    waiting.put("a")
    assert await taking == "a"
