"""PURE. Who may say and hear what at the broker: one table, for every broker that is configured from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.messages import topics
from device.messages.tools import ANY
from provisioning.roles import BRIDGE, HOME_ASSISTANT, MOST_MINTERS, Place, Role


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


_MINT: Final = (
    Right(Action.SUBSCRIBE, topics.mint_request("+")),
    Right(Action.PUBLISH, topics.mint_answer("+")),
    Right(Action.SUBSCRIBE, topics.renewal_request("+")),
    Right(Action.PUBLISH, topics.renewal_answer("+")),
    Right(Action.SUBSCRIBE, topics.EVERY_EVENT),
)
_WEB: Final = tuple(
    Right(Action.SUBSCRIBE, topic) for topic in (topics.EVERY_STATE, topics.EVERY_EVENT, topics.EVERY_METRIC)
)
_LEASH: Final = (Right(Action.SUBSCRIBE, topics.command("+")), *_WEB)


_HOME: Final = tuple(Right(action, "homeassistant/#") for action in Action)
"""What Home Assistant and the bridge to it may do: nothing of the robots' own topics."""


def rights_of_service(name: str) -> tuple[Right, ...]:
    """Return what a part of the cloud may do; what has no part's name is the whole cloud."""
    parts = {Place(Role.WEB).identity: _WEB, Place(Role.LEASH).identity: _LEASH}
    minters = {Place(Role.MINT, number).identity: _MINT for number in range(1, MOST_MINTERS + 1)}
    home = dict.fromkeys((BRIDGE, HOME_ASSISTANT), _HOME)
    return (parts | minters | home).get(name, tuple(dict.fromkeys((*_MINT, *_LEASH))))


def rights_of_operator(robots: Sequence[str]) -> tuple[Right, ...]:
    """Return what whoever orders these robots may do; `*` among them stands for all."""
    levels = ("+",) if ANY in robots else robots
    return tuple(right for level in levels for right in _ordering(level))


def _ordering(robot: str) -> tuple[Right, ...]:
    return (
        Right(Action.PUBLISH, topics.command(robot)),
        Right(Action.SUBSCRIBE, topics.command_status(robot, "+")),
        Right(Action.SUBSCRIBE, topics.state(robot)),
        Right(Action.SUBSCRIBE, topics.event(robot)),
    )
