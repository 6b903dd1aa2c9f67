"""The census of a day: what stays is told, what comes and goes at rest is not."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter

from device.bench import alive
from tests.day.census import Census, Process, counted

REST = Process(tasks=Counter(), threads=Counter(), descriptors=10, kilobytes=1000)


def census(cloud: Process, calls: int = 0, channels: int = 0, live: int = 0) -> Census:
    """Return a census with a robot at rest."""
    return Census(robot=REST, cloud=cloud, calls=calls, channels=channels, live=live)


async def forgotten(over: asyncio.Event) -> None:
    """Go on until somebody thinks of it."""
    await over.wait()


def test_what_is_open_at_the_services_and_in_the_store_is_told() -> None:
    assert census(REST, calls=1, channels=2, live=3).left(census(REST, live=3)) == [
        "1 calls",
        "2 channels",
        "3 sessions in the store",
    ]


async def test_a_task_that_stays_is_told_by_name_and_one_that_was_there_before_is_not() -> None:
    before, over = counted(os.getpid(), alive()), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(forgotten(over), name="call 17")
        await asyncio.sleep(0)
        now = counted(os.getpid(), alive())
        assert census(now).left(census(before)) == ["cloud: task call … forgotten x1"]
        assert census(now).left(census(now)) == []
        over.set()


def test_a_thread_that_stays_is_told_unless_it_is_of_a_pool() -> None:
    before, over = counted(os.getpid(), {"tasks": [], "threads": []}), threading.Event()
    threads = [threading.Thread(target=over.wait, name=name) for name in ("sender", "ThreadPoolExecutor-0_1")]
    for thread in threads:
        thread.start()
    try:
        living = [thread.name for thread in threads]
        now = counted(os.getpid(), {"tasks": [], "threads": living})
        assert census(now).left(census(before)) == ["cloud: thread sender x1"]
    finally:
        over.set()
        for thread in threads:
            thread.join()


async def test_a_wait_for_the_next_message_comes_and_goes() -> None:
    before, messages = counted(os.getpid(), alive()), asyncio.Queue[str]()
    waiting = asyncio.create_task(messages.get())
    await asyncio.sleep(0)
    assert census(counted(os.getpid(), alive())).left(census(before)) == []
    messages.put_nowait("done")
    assert await waiting == "done"
