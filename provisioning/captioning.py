"""Captions into the broadcast's channel itself, for whoever watches by other means than our page."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

from provisioning.broadcasting import Broadcasts
from provisioning.observer.views import CaptionView

MOST_WAITING: Final = 64
"""Captions of one session that may wait for a slow service; then the oldest are dropped."""


class Captioning:
    """Pushes to each session's channel what the feed shows of it; no session waits for another. `run()` it in a task."""

    def __init__(self, broadcasts: Broadcasts) -> None:
        self._broadcasts = broadcasts
        self._waiting: dict[str, deque[dict[str, Any]]] = {}
        self._begun: asyncio.Queue[str] = asyncio.Queue()

    def say(self, session: str, caption: CaptionView) -> None:
        """Take one caption, as the public may read it; never blocks."""
        if session not in self._waiting:
            self._waiting[session] = deque(maxlen=MOST_WAITING)
            self._begun.put_nowait(session)
        shown = ("id", "speaker", "text", "start", "end", "final")
        fields = {name: value for name, value in msgspec.to_builtins(caption).items() if name in shown}
        self._waiting[session].append({"type": "caption", **fields})

    async def run(self) -> None:
        """Push, the captions of each session in their order, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                session = await self._begun.get()
                group.create_task(self._push(session), name="captions into a channel")

    async def _push(self, session: str) -> None:
        """Push what waits for one session; a caption that comes when nothing waits begins anew."""
        waiting = self._waiting[session]
        while waiting:
            await self._broadcasts.push(session, waiting.popleft())
        del self._waiting[session]
