"""Captions into the broadcast's channel itself, for whoever watches by other means than our page."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from provisioning.broadcasting import Broadcasts
from provisioning.observer.views import CaptionView

MOST_WAITING: Final = 64
"""Captions that may wait for a slow service; then the oldest are dropped."""


class Captioning:
    """Pushes to each session's channel what the feed shows of it. `run()` it in a task."""

    def __init__(self, broadcasts: Broadcasts) -> None:
        self._broadcasts = broadcasts
        self._waiting: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(MOST_WAITING)

    def say(self, session: str, caption: CaptionView) -> None:
        """Take one caption, as the public may read it; never blocks."""
        if self._waiting.full():
            self._waiting.get_nowait()
        shown = ("id", "speaker", "text", "start", "end", "final")
        fields = {name: value for name, value in msgspec.to_builtins(caption).items() if name in shown}
        self._waiting.put_nowait((session, {"type": "caption", **fields}))

    async def run(self) -> None:
        """Push, one after the other, for ever."""
        while True:
            await self._broadcasts.push(*await self._waiting.get())
