"""PURE. Answers kept for a moment, so that a request the broker delivers twice is served once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

KEPT_SECONDS: Final = 30.0
"""As long as a request can be valid."""


@dataclass(slots=True)
class Answer:
    """The answer to one request, once there is one; None also for what deserves none."""

    at: float
    data: bytes | None = None


class Answers:
    """Answers by the exact bytes of what they answer."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Answer] = {}

    def find(self, device: str, request: bytes, now: float) -> Answer | None:
        """Return what was kept for these bytes of this device, or None when they are new; `now` in Unix seconds."""
        while self._kept and now - next(iter(self._kept.values())).at >= KEPT_SECONDS:
            del self._kept[next(iter(self._kept))]
        return self._kept.get(_key(device, request))

    def begin(self, device: str, request: bytes, now: float) -> Answer:
        """Keep a place for the answer that is being made."""
        return self._kept.setdefault(_key(device, request), Answer(now))

    def drop(self, device: str, request: bytes) -> None:
        """Forget these bytes: they deserve no answer, or could be given none."""
        self._kept.pop(_key(device, request), None)


def _key(device: str, request: bytes) -> bytes:
    return hashlib.sha256(device.encode() + b"\0" + request).digest()
