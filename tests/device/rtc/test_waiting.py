from __future__ import annotations

import asyncio

import pytest
from aiortc.mediastreams import MediaStreamError

from device.rtc.waiting import Waiting


async def test_what_is_put_in_comes_out_in_order_and_is_waited_for() -> None:
    queue: Waiting[int] = Waiting(2)
    first = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    assert not first.done()
    queue.put(1)
    queue.put(2)
    assert [await first, await queue.get()] == [1, 2]


async def test_it_says_when_something_must_go_and_lets_the_oldest_or_all_go() -> None:
    queue: Waiting[int] = Waiting(2)
    queue.put(1)
    assert not queue.full
    queue.put(2)
    assert queue.full
    queue.drop_oldest()
    assert await queue.get() == 2
    queue.put(3)
    queue.clear()
    assert len(queue) == 0


async def test_a_track_that_has_stopped_gives_nothing_and_takes_nothing() -> None:
    queue: Waiting[int] = Waiting(2)
    queue.put(1)
    waiting = asyncio.ensure_future(queue.get())
    queue.close()
    queue.put(2)
    assert len(queue) == 0
    for getting in (waiting, queue.get()):
        with pytest.raises(MediaStreamError):
            await getting
