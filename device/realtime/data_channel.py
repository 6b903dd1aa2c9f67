"""PURE. JSON events on a data channel, whichever API they are of: theirs are read and counted, ours are written."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

import msgspec

E = TypeVar("E")


class _Head(msgspec.Struct, frozen=True):
    type: str


_HEAD: Final = msgspec.json.Decoder(_Head)


class Reader(Generic[E]):
    """Bytes to events, for one call; counts what it lets by and never fails.

    Args:
        decoder: of a union of the events that are used.
        used: their types.
        unused: the types of documented events of which nothing is needed.
    """

    def __init__(self, decoder: msgspec.json.Decoder[E], used: frozenset[str], unused: frozenset[str]) -> None:
        self.malformed = 0
        """Messages that were not JSON, not an event, or not such an event."""
        self.unknown = 0
        """Events of a type that the API's reference did not have, or that we do not expect."""
        self._decoder, self._used, self._unused = decoder, used, unused

    def read(self, data: str | bytes) -> E | None:
        """Return the event in one data channel message, or None when there is nothing in it for us."""
        try:
            kind = _HEAD.decode(data).type
            if kind in self._used:
                return self._decoder.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            self.malformed += 1
            return None
        self.unknown += kind not in self._unused
        return None


def client_event(kind: str, **fields: Any) -> str:
    """Return an event of ours as JSON."""
    return msgspec.json.encode({"type": kind, **fields}).decode()
