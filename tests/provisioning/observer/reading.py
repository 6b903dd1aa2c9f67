"""Reading server-sent events as a browser does, as far as our streams use them."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

Event = tuple[str, dict[str, Any]]


def parse_events(text: bytes) -> list[Event]:
    """Return the events in `text`: each one's name and data; comments and `retry` are left out."""
    events = []
    for block in text.split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if not line.startswith(b":") and line)
        if b"data" in fields:
            events.append((fields[b"event"].decode(), msgspec.json.decode(fields[b"data"])))
    return events


class EventReader:
    """The events of one open response, one after the other."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.blocks: list[bytes] = []

    async def block(self) -> bytes:
        """Return the next block up to its empty line; empty at the end of the stream."""
        lines = []
        while line := await self._response.content.readline():
            if line == b"\n":
                break
            lines.append(line)
        return b"".join(lines)

    async def next(self, name: str | None = None) -> Event:
        """Return the next event, or the next of this name."""
        while block := await self.block():
            for event in parse_events(block + b"\n"):
                if name in {None, event[0]}:
                    return event
        raise EOFError("the stream has ended")
