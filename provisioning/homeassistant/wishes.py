"""PURE. What Home Assistant asks for, as the orders of an operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from device.errors import MalformedMessageError
from device.messages.commands import Verb
from provisioning.homeassistant.discovery import OFF, ON, PREFIX, PRESS, QUIETEST, topic


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that somebody asks of a robot there: `word` is what the entity is called."""

    robot: str
    word: str
    verb: Verb
    args: dict[str, Any] = field(default_factory=dict)


_Told = tuple[Verb, dict[str, Any]]


def _press(verb: Verb) -> Callable[[str], _Told]:
    def told(payload: str) -> _Told:
        if payload != PRESS:
            raise MalformedMessageError(f"{payload[:20]!r} is no press of a button")
        return verb, {}

    return told


def _mute(payload: str) -> _Told:
    tool = {ON: "mute", OFF: "unmute"}.get(payload)
    if tool is None:
        raise MalformedMessageError(f"{payload[:20]!r} is neither {ON} nor {OFF}")
    return Verb.USE, {"tool": tool, "arguments": {}}


def _volume(payload: str) -> _Told:
    try:
        percent = round(float(payload))
    except (ValueError, OverflowError):
        raise MalformedMessageError(f"{payload[:20]!r} is no number") from None
    if not QUIETEST <= percent <= 100:
        raise MalformedMessageError(f"{percent} is not between {QUIETEST} and 100")
    return Verb.USE, {"tool": "volume", "arguments": {"action": "set", "percent": percent}}


_WORDS: Final[dict[str, Callable[[str], _Told]]] = {
    "start": _press(Verb.START),
    "stop": _press(Verb.STOP),
    "mute": _mute,
    "volume": _volume,
}

TOPICS: Final = tuple(topic("+", word) for word in _WORDS)
"""Where wishes come."""


def wish(where: str, payload: bytes) -> Wish:
    """Return the wish that came on a topic.

    Raises:
        MalformedMessageError: it is none.
    """
    robot, _, word = where.removeprefix(f"{PREFIX}/kaiwa/").partition("/")
    if word not in _WORDS:
        raise MalformedMessageError(f"nothing can be wished for on {where}")
    verb, args = _WORDS[word](payload[:40].decode(errors="replace").strip())
    return Wish(robot, word, verb, args)
