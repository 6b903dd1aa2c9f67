"""PURE. Server-sent events as bytes (WHATWG HTML, section 9.2), and the bounded line in front of each reader."""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from provisioning.observer.views import Change, name_of_change

HEARTBEAT: Final = b": still here\n\n"
"""A comment, which browsers ignore and which keeps proxies from closing a quiet stream."""

OPENING: Final = b"retry: 2000\n\n"
"""Asks the browser to come back 2 s after a break; its own default differs between vendors."""

LONGEST_LINE: Final = 64
"""Events that may wait for one reader: about five seconds of levels and captions."""


def frame(change: Change, number: int) -> bytes:
    """Return `change` as one event with id `number`; JSON holds no line break, so one data line is enough."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name_of_change(change).encode(), msgspec.json.encode(change))


class Line:
    """Frames that wait for one reader. When they are too many, all are dropped and the reader is `behind`."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._waiting: deque[bytes] = deque()
        self.behind = True
        """The reader needs a snapshot before anything else makes sense; true at first."""

    def put(self, data: bytes) -> None:
        """Add a frame, which every reader's line shares without a copy."""
        if self.behind:
            return
        if len(self._waiting) == self._longest:
            self._waiting.clear()
            self.behind = True
            return
        self._waiting.append(data)

    def take(self) -> bytes:
        """Return everything that waits, in order; empty when nothing does."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data

    @property
    def free(self) -> bool:
        """Whether nothing waits and nothing was missed, so that a frame may go past the line."""
        return not self.behind and not self._waiting

    def caught_up(self) -> None:
        """Note that the reader has been given a snapshot; frames count again from here."""
        self.behind = False

    def __len__(self) -> int:
        return len(self._waiting)
