"""The open pages of the console, each with a bounded line of what it is to be shown, and what a new one must know."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

MOST_WAITING: Final = 2000
"""Frames in front of one page; one that is further behind is shown no more and connects again."""

KEPT: Final = 400
"""Frames of each robot that a page that comes later is shown: a reload loses nothing that matters."""


def frame(kind: str, content: object) -> bytes:
    """Return one server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(content))


class Page:
    """One open page, which looks at one robot."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._line: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended = False

    def offer(self, data: bytes) -> None:
        """Show something, unless the page is too far behind: then end it."""
        if self._line.qsize() >= MOST_WAITING:
            self.end()
        elif not self._ended:
            self._line.put_nowait(data)

    def end(self) -> None:
        """Show nothing more."""
        if not self._ended:
            self._ended = True
            self._line.put_nowait(None)

    async def read(self) -> bytes | None:
        """Return the next frame, or None at the end."""
        return await self._line.get()


class Pages:
    """All open pages."""

    def __init__(self) -> None:
        self._open: set[Page] = set()
        self._kept: dict[str, deque[bytes]] = {}

    def looking_at(self, device: str) -> bool:
        """Tell whether any page looks at this robot."""
        return any(page.device == device for page in self._open)

    @contextmanager
    def opened(self, device: str, first: list[bytes]) -> Iterator[Page]:
        """Hold a page open, which is shown `first` and then what is kept of its robot."""
        page = Page(device)
        for data in filter(None, [*first, *self._kept.get(device, ())]):
            page.offer(data)
        self._open.add(page)
        try:
            yield page
        finally:
            self._open.discard(page)
            if not self.looking_at(device):
                self._kept.pop(device, None)  # nobody's words stay here longer than somebody looks

    def show(self, device: str, data: bytes, *, keep: bool = False) -> None:
        """Show something of a robot to the pages that look at it."""
        watching = [page for page in self._open if page.device == device]
        if keep and watching:
            self._kept.setdefault(device, deque(maxlen=KEPT)).append(data)
        for page in watching:
            page.offer(data)

    def show_all(self, data: bytes) -> None:
        """Show something to every page."""
        for page in self._open:
            page.offer(data)

    def end(self) -> None:
        """End every page."""
        for page in tuple(self._open):
            page.end()
