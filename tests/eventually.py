"""Waiting for what can only be seen by looking: a row in a store, an entry at a service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], within: float = 10.0) -> T:
    """Return the first true thing that `look` gives; fail with TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not (found := await look()):
            await asyncio.sleep(0.01)
        return found
