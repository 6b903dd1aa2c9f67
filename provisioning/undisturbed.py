"""Work that is finished even if who waits for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def undisturbed(work: Awaitable[T]) -> T:
    """Return what `work` returns; who is cancelled meanwhile, once or again, is so only when it is done.

    For what must not be left half done, such as a transaction whose COMMIT is on its way to the disk.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            await _wait(task)
        raise


async def _wait(task: asyncio.Future[T]) -> None:
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        return
