"""What was encoded, or soon will be, and waits for the connection to take it: one bounded queue for each track."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from aiortc.mediastreams import MediaStreamError

T = TypeVar("T")


class Waiting(Generic[T]):
    """At most `longest` items between who makes them, and never waits, and a track's `recv`; one event loop."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._items: deque[T] = deque()
        self._news = asyncio.Event()
        self._open = True

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether the connection is so far behind that something must go before more is put in."""
        return len(self._items) >= self._longest

    def put(self, item: T) -> None:
        """Append `item`; it is lost when the track has stopped."""
        if self._open:
            self._items.append(item)
            self._news.set()

    def drop_oldest(self) -> None:
        """Let the oldest item go."""
        self._items.popleft()

    def clear(self) -> None:
        """Let all of them go."""
        self._items.clear()

    def close(self) -> None:
        """The track has stopped: nothing waits any more, and `get` fails."""
        self._open = False
        self._items.clear()
        self._news.set()

    async def get(self) -> T:
        """Wait for the oldest item and return it.

        Raises:
            MediaStreamError: the track has stopped.
        """
        while not self._items:
            if not self._open:
                raise MediaStreamError
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()
