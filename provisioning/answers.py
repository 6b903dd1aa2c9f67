"""PURE. Answers kept for a moment, so that a request the broker delivers twice is served once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from device.errors import MessageError, StoreError

_log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 30.0
"""As long as a request can be valid."""

MOST_BYTES: Final = 64 << 20
"""Of all answers that are kept: 50,000 grants, or 1,000 that carry as much knowledge as fits. The oldest go first; who
asks for one of them again is refused."""


@dataclass(slots=True)
class Answer:
    """The answer to one request, once there is one; None also for what deserves none."""

    at: float
    data: bytes | None = None
    counted: int = 0
    """Its bytes, from when it was made to when it is forgotten."""


class Answers:
    """Answers by the exact bytes of what they answer."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Answer] = {}
        self._bytes = 0

    def find(self, device: str, request: bytes, now: float) -> Answer | None:
        """Return what was kept for these bytes of this device, or None when they are new; `now` in Unix seconds."""
        while self._kept and now - next(iter(self._kept.values())).at >= KEPT_SECONDS:
            self._forget(next(iter(self._kept)))
        return self._kept.get(_key(device, request))

    def begin(self, device: str, request: bytes, now: float) -> Answer:
        """Keep a place for the answer that is being made."""
        return self._kept.setdefault(_key(device, request), Answer(now))

    async def once(
        self, device: str, request: bytes, now: float, serve: Callable[[], Awaitable[bytes]]
    ) -> bytes | None:
        """Return the answer to these bytes, made by `serve` if they are new.

        None for what deserves no answer, or is being answered already. What fails is forgotten, and so is what `serve`
        raises for a message that deserves none, or a store that does not answer: it may be asked again.
        """
        before = self.find(device, request, now)
        if before is not None:
            return before.data
        kept = self.begin(device, request, now)
        try:
            kept.data = await serve()
        except (MessageError, StoreError) as error:
            _log.warning("no answer to %s: %s", device, error)
        finally:
            if kept.data is None:
                self.drop(device, request)
        if self._kept.get(_key(device, request)) is kept:  # else it took longer than answers are kept
            self._keep_within(kept)
        return kept.data

    def drop(self, device: str, request: bytes) -> None:
        """Forget these bytes: they deserve no answer, or could be given none."""
        self._forget(_key(device, request))

    def _forget(self, key: bytes) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= gone.counted
            gone.counted = 0

    def _keep_within(self, new: Answer) -> None:
        """Count an answer that is kept now, and forget the oldest if it is too much."""
        new.counted = len(new.data or b"")
        self._bytes += new.counted
        while self._bytes > MOST_BYTES:
            self._forget(next(key for key, answer in self._kept.items() if answer.counted))


def _key(device: str, request: bytes) -> bytes:
    return hashlib.sha256(device.encode() + b"\0" + request).digest()
