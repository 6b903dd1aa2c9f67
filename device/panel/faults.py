"""PURE. The kinds of fault that are told apart by light, sound and words, and which kind each code is of.

A visitor can do nothing with `CLOCK_SKEW`, but can tell an attendant that it says its clock is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from device.phase import HOPELESS, NO_SOUND


class Fault(StrEnum):
    """What is wrong, as far as somebody in front of the robot cares."""

    SOUND = "sound"
    """It has no sound card."""
    NETWORK = "network"
    """It does not reach its cloud, or nothing comes through."""
    SERVICE = "service"
    """The other side of the conversation does not work."""
    REFUSED = "refused"
    """The cloud does not let it talk."""
    BUDGET = "budget"
    """What may be spent has been spent."""
    CLOCK = "clock"
    """Its clock is wrong."""
    BUSY = "busy"
    """There is too much to do; a little later it will work."""
    OTHER = "other"
    """Anything else."""


_CODES: Final[Mapping[str, Fault]] = {
    NO_SOUND: Fault.SOUND,
    **dict.fromkeys(("broker", "media", "timeout"), Fault.NETWORK),
    **dict.fromkeys(("upstream", "UPSTREAM", "call", "server_error"), Fault.SERVICE),
    **dict.fromkeys(("DENIED", "REVOKED", "REPLAY"), Fault.REFUSED),
    **dict.fromkeys(("QUOTA", "BUDGET", *HOPELESS), Fault.BUDGET),
    "CLOCK_SKEW": Fault.CLOCK,
    **dict.fromkeys(("BUSY", "rate_limit_exceeded"), Fault.BUSY),
}
"""Every code that a session can fail with and that is not `OTHER`: those of the machine, of the cloud, of the service."""


class Remark(StrEnum):
    """What the robot says of an answer that failed, while the conversation goes on."""

    BUSY = "answer-busy"
    """Too much is asked of the service."""
    FILTERED = "answer-filtered"
    """The service holds the answer back."""
    FAILED = "answer-failed"
    """Anything else."""


_HEARD: Final = "max_output_tokens"
"""The answer was as long as it may be; what there is of it was heard."""


def remark(code: str) -> Remark | None:
    """Return what is said of an answer that failed with this code; None for nothing."""
    if code == _HEARD:
        return None
    if code == "content_filter":
        return Remark.FILTERED
    return Remark.BUSY if kind(code) is Fault.BUSY else Remark.FAILED


def kind(code: str) -> Fault:
    """Return the kind of a fault by its code; what nobody has heard of is `OTHER`."""
    return _CODES.get(code, Fault.OTHER)
