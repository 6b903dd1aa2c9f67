"""A queue in which each name waits once: whoever says the same a thousand times fills it no more than once."""

from __future__ import annotations

import asyncio


class Waiting:
    """Names in the order in which they came; there are never more of them than there are names."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._names: set[str] = set()

    def __len__(self) -> int:
        return len(self._names)

    def put(self, name: str) -> None:
        """Let a name wait, unless it does."""
        if name not in self._names:
            self._names.add(name)
            self._queue.put_nowait(name)

    async def get(self) -> str:
        """Wait for and return the next name, which from now on may wait again."""
        name = await self._queue.get()
        self._names.discard(name)
        return name
