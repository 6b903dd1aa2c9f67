"""PURE. What operators may order, and the steps in which a device answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from msgspec import Meta

from device.messages.releases import LONGEST_SEALED, Address
from device.messages.tools import ToolName
from device.messages.wire import Message

LONGEST_SECONDS: Final = 15.0
"""A command is valid for this long at most: a microphone must not open itself later."""


LONGEST_REASON: Final = 200
"""Characters of what an operator says an order is for."""


class Verb(StrEnum):
    """The orders that exist."""

    START = "start"
    STOP = "stop"
    USE = "use"
    """Use a tool of the robot, as the model would; `args` hold its name and its arguments."""
    UPDATE = "update"
    """Take over another version of the robot's program; `args` say which, and where it lies."""


class Command(Message, frozen=True):
    """One order to one device; executed at most once, by id."""

    id: str
    device: str
    verb: Verb
    issuer: str
    issued_at: float
    expires_at: float
    args: dict[str, Any] = {}
    why: Annotated[str, Meta(max_length=LONGEST_REASON)] = ""
    """What the operator says it is for; it goes into the audit."""


class Use(Message, frozen=True):
    """The `args` of the order `use`."""

    tool: ToolName
    arguments: dict[str, Any] = {}


class Update(Message, frozen=True):
    """The `args` of the order `update`."""

    release: Annotated[str, Meta(max_length=LONGEST_SEALED)]
    """The sealed release (`device.messages.releases`): nothing is taken over that it does not describe."""
    url: Address
    """Where the package lies."""


class Step(StrEnum):
    """How far a command has come; the last five are final."""

    ACCEPTED = "ACCEPTED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    DUPLICATE = "DUPLICATE"

    @property
    def final(self) -> bool:
        """True when no further step follows."""
        return self not in {Step.ACCEPTED, Step.IN_PROGRESS}


class CommandStatus(Message, frozen=True):
    """One step of one command."""

    id: str
    device: str
    step: Step
    at: float
    reason: str = ""
