"""PURE. Which tool the stand-in's model calls for what it hears, and how it tells what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    before: str = ""
    """What is said in the same answer."""

    @property
    def text(self) -> str:
        """The arguments as a model writes them."""
        return msgspec.json.encode(self.arguments).decode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client told of a call."""

    name: str
    output: str


GOODBYE: Final = "Goodbye! It was nice talking to you."

WISHES: Final = {
    "what time is it": Call("current_time"),
    "turn the volume down": Call("volume", {"action": "down"}),
    "turn the volume up": Call("volume", {"action": "up"}),
    "much too loud please": Call("volume", {"action": "set", "percent": 5000}),
    "please turn on the lamp": Call("lamp", {"on": True}),
    "switch the lamp off again": Call("lamp", {"on": False}),
    "please do not listen any longer": Call("mute"),
    "stop the broadcast": Call("broadcast", {"on": False}),
    "begin broadcasting again": Call("broadcast", {"on": True}),
    "call somebody for help": Call("tell_operator", {"message": "A visitor asks for help."}),
    "remember robin is my name": Call("remember", {"what": "name", "value": "Robin"}),
    "what have you remembered": Call("recall"),
    "can you find the elephant": Call("find_exhibit", {"name": "elephant"}),
    "goodbye": Call("end_conversation"),
    "farewell my friend": Call("end_conversation", before=GOODBYE),
}
"""Phrase -> what is called for it, where the session has such a tool; each is spoken and recognised as a whole."""

LOOK_UP: Final = "look up "
"""What stands before what is to be looked up; only in writing, for the ears know whole phrases."""

UNABLE: Final = "I cannot do that here."


def calls(heard: str, tools: Collection[str]) -> list[Call]:
    """Return the calls that are made for `heard`, phrases joined by "and" one after the other; none is also an answer."""
    plain = heard.strip(" .!?")
    if plain.lower().startswith(LOOK_UP) and "look_up" in tools:
        return [Call("look_up", {"query": plain[len(LOOK_UP) :]})]
    phrases = plain.lower().split(" and ")
    wished = [WISHES[phrase] for phrase in phrases if phrase in WISHES]
    return wished if len(wished) == len(phrases) and all(call.name in tools for call in wished) else []


def told(outcomes: Sequence[Outcome]) -> str:
    """Return what is said when these outcomes have come."""
    return " ".join(dict.fromkeys(_told(outcome) for outcome in outcomes))


def failed(outcome: Outcome) -> bool:
    """Tell whether a client told of a failure."""
    return (_read(outcome) or {}).get("ok") is False


def _read(outcome: Outcome) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(outcome.output, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def _told(outcome: Outcome) -> str:
    read = _read(outcome)
    if read is None:
        return outcome.output
    if read.get("ok") is False:
        return f"That did not work: {read.get('error', 'no reason given')}."
    return _result(outcome.name, read.get("result"))


def _result(name: str, result: Any) -> str:
    match name, result:
        case "current_time", {"time": str(time)}:
            hour, _, minute = time.partition(":")
            return f"It is {int(hour)} {spoken_minute(int(minute))}."
        case "volume", {"percent": percent}:
            return f"The volume is {percent} percent now."
        case "end_conversation", _:
            return GOODBYE
        case "recall", dict(known) if known:
            return " ".join(f"Your {what} is {value}." for what, value in known.items())
        case _, str(text):
            return text
        case _:
            return "Done."


def spoken_minute(minute: int) -> str:
    """Return the minute of a time as it is read out."""
    if minute == 0:
        return "o'clock"
    return f"oh {minute}" if minute < 10 else str(minute)
