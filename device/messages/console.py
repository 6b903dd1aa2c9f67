"""PURE. What a robot shows an operator's console: the events of its call both ways, and its levels, while one watches."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from device.messages.reports import Levels, UnixTime
from device.messages.wire import Message, decode

LONGEST_BODY: Final = 24_576
"""Bytes of one event; in a message, where its quotes are escaped, at most twice as many, below what a broker takes."""

LONGEST_LEASE: Final = 120
"""Seconds that a console may watch without asking again."""


class WireEvent(Message, frozen=True, tag="wire"):
    """One event of the data channel."""

    at: UnixTime
    name: Annotated[str, Meta(max_length=100)]
    """Its `type`."""
    body: Annotated[str, Meta(max_length=LONGEST_BODY)]
    """All of it as JSON, secrets masked."""
    sent: bool = False
    """By the robot to the service, not the other way."""
    cut: bool = False
    """Its end is missing, because it was too long."""


class LevelsNow(Message, frozen=True, tag="levels"):
    """How loud it is, five times a second."""

    at: UnixTime
    levels: Levels


class EventsMissed(Message, frozen=True, tag="missed"):
    """So many events were not shown, because they came too fast."""

    at: UnixTime
    count: int


Shown = WireEvent | LevelsNow | EventsMissed


def decode_shown(data: bytes) -> Shown:
    """Return what `data` holds.

    Raises:
        MalformedMessageError: it holds nothing of the kind.
    """
    return decode(data, Shown)  # type: ignore[arg-type]  # a union is a type to msgspec
