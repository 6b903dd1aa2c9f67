"""PURE. Who may say and hear what at the broker: one table, for every broker that is configured from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.messages import topics


class Action(StrEnum):
    """What is done with a topic."""

    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that somebody may do; whatever is in no right is refused."""

    action: Action
    topic: str


def rights_of_device(device: str) -> tuple[Right, ...]:
    """Return what a device may do; `device` is its name, or what a broker puts it in the place of."""
    return (
        Right(Action.PUBLISH, topics.mint_request(device)),
        Right(Action.SUBSCRIBE, topics.mint_answer(device)),
        Right(Action.PUBLISH, topics.renewal_request(device)),
        Right(Action.SUBSCRIBE, topics.renewal_answer(device)),
        Right(Action.SUBSCRIBE, topics.command(device)),
        Right(Action.PUBLISH, topics.command_status(device, "+")),
        Right(Action.PUBLISH, topics.state(device)),
        Right(Action.PUBLISH, topics.event(device)),
        Right(Action.PUBLISH, topics.metrics(device)),
    )


SERVICE: Final = (
    Right(Action.SUBSCRIBE, topics.mint_request("+")),
    Right(Action.PUBLISH, topics.mint_answer("+")),
    Right(Action.SUBSCRIBE, topics.renewal_request("+")),
    Right(Action.PUBLISH, topics.renewal_answer("+")),
    Right(Action.SUBSCRIBE, topics.command("+")),
    Right(Action.SUBSCRIBE, topics.EVERY_STATE),
    Right(Action.SUBSCRIBE, topics.EVERY_EVENT),
    Right(Action.SUBSCRIBE, topics.EVERY_METRIC),
)
"""What the cloud itself may do."""

OPERATOR: Final = (
    Right(Action.PUBLISH, topics.command("+")),
    Right(Action.SUBSCRIBE, topics.command_status("+", "+")),
    Right(Action.SUBSCRIBE, topics.EVERY_STATE),
    Right(Action.SUBSCRIBE, topics.EVERY_EVENT),
)
"""What whoever commands robots may do."""
