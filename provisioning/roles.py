"""PURE. Which part of the cloud one process is, and by what name the broker knows it.

Every name begins with `minter`, which no device may be called: a fleet may have a robot called `leash` already.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_MINTERS: Final = 32
"""Minters that the access list knows, so that one more needs no word to the broker."""

EVERYTHING: Final = "minter"
"""Name of the one process that is the whole cloud."""


class Role(StrEnum):
    """The parts that can be processes of their own."""

    ALL = "all"
    MINT = "mint"
    """Grants sessions and renews certificates; there may be several, which share the requests."""
    WEB = "web"
    """Enrolment and the observers' page."""
    LEASH = "leash"
    """Ends sessions and keeps the books; one at a time, and the one that may own the broker."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one process is; minters have numbers, from 1 to `MOST_MINTERS`."""

    role: Role = Role.ALL
    number: int = 1

    @property
    def identity(self) -> str:
        """Its MQTT client id, and the name in its certificate."""
        if self.role is Role.ALL:
            return EVERYTHING
        return f"{EVERYTHING}-{self.number if self.role is Role.MINT else self.role}"

    def has(self, role: Role) -> bool:
        """Tell whether this part is here."""
        return self.role in {role, Role.ALL}


SERVICES: Final = (
    *(Place(role).identity for role in (Role.ALL, Role.WEB, Role.LEASH)),
    *(Place(Role.MINT, number).identity for number in range(1, MOST_MINTERS + 1)),
)
"""All of the names."""

BRIDGE: Final = f"{EVERYTHING}-bridge"
"""The bridge to Home Assistant, where that uses the fleet's own broker."""

HOME_ASSISTANT: Final = f"{EVERYTHING}-home-assistant"
"""Home Assistant itself there."""
