"""PURE. Which records have to go: those that are too old, then the oldest until the rest is small enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Kept:
    """One record on the disk."""

    name: str
    began_at: float
    """Unix seconds."""
    size: int
    """Bytes."""


def outlived(kept: Sequence[Kept], now: float, days: float, most_bytes: int) -> list[str]:
    """Return the names of the records to be deleted at `now`, oldest first."""
    left = sorted(kept, key=lambda record: record.began_at)
    size, gone = sum(record.size for record in left), list[str]()
    for record in left:
        if size <= most_bytes and record.began_at > now - days * DAY:
            break
        gone.append(record.name)
        size -= record.size
    return gone
