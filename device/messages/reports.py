"""PURE. What a device tells the world: its retained state, events, and meters."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from device.messages.wire import Message, decode

Name = Annotated[str, Meta(max_length=64)]
Words = Annotated[str, Meta(max_length=16_384)]
Usage = Annotated[dict[Annotated[str, Meta(max_length=40)], int], Meta(max_length=40)]
"""Tokens of a whole session so far, by kind, and its number of `responses`; empty when a device does not tell."""

UnixTime = Annotated[float, Meta(ge=0, lt=1e11)]
"""Unix seconds, for some thousand years: devices say what they like, and pages count with it."""


class Lifecycle(StrEnum):
    """Whether the device is there; names from the Homie convention."""

    INIT = "init"
    READY = "ready"
    DISCONNECTED = "disconnected"
    LOST = "lost"


class Spent(Message, frozen=True):
    """What the session that goes on has cost so far, by the prices in its grant."""

    micros: Annotated[int, Meta(ge=0, le=10**15)]
    """Millionths of the currency."""
    currency: Annotated[str, Meta(max_length=8)] = "USD"


class DeviceState(Message, frozen=True):
    """The retained card of a device; the same with `lost` is its Last Will."""

    device: str
    lifecycle: Lifecycle
    phase: Name = "idle"
    """Name of the session machine's state: starting, idle, preparing, listening, thinking, speaking, …"""
    session: Name | None = None
    since: UnixTime = 0.0
    """Unix seconds at which this phase began, by the device's clock."""
    on_air: bool = False
    fault: Name | None = None
    version: Name = ""
    echo: Name = ""
    muted: bool = False
    """The microphone is closed: neither the model nor observers hear the room."""
    delay: Annotated[float, Meta(ge=0, le=10)] = 0.0
    """Seconds by which observers hear this robot late, on purpose; its captions carry the delayed times."""
    spent: Spent | None = None
    """As of the last answer; None without a session, or where the cloud told no prices."""
    ends_at: UnixTime | None = None
    """Unix seconds at which the conversation ends because it has lasted as long as it may; None until that was announced."""


class Speaker(StrEnum):
    """Whose words a caption shows."""

    USER = "user"
    ASSISTANT = "assistant"


class CallAnswered(Message, frozen=True, tag="call_answered"):
    """The service took the call of a session: from now on the cloud can hang it up by its `call_id`."""

    session: Name
    at: UnixTime
    call_id: Annotated[str, Meta(max_length=128)]


class CallLeft(Message, frozen=True, tag="call_left"):
    """A session goes on without this call: the cloud makes sure that it is over."""

    session: Name
    at: UnixTime
    call_id: Annotated[str, Meta(max_length=128)]


class SessionStarted(Message, frozen=True, tag="session_started"):
    """A conversation begins to be heard by the model."""

    session: Name
    at: UnixTime
    reason: Annotated[str, Meta(max_length=500)]


class SessionEnded(Message, frozen=True, tag="session_ended"):
    """A conversation is over and everything it held is released."""

    session: Name
    at: UnixTime
    reason: Annotated[str, Meta(max_length=500)]
    seconds: float
    usage: Usage = {}


class SessionGoesOn(Message, frozen=True, tag="session_goes_on"):
    """The heartbeat of a robot with a session, and what it has used until now."""

    session: Name
    at: UnixTime
    usage: Usage = {}


class Caption(Message, frozen=True, tag="caption"):
    """Words on the clock of what was played; `start` and `end` are Unix seconds by the cloud's clock."""

    session: Name
    id: Annotated[str, Meta(max_length=128)]
    """Captions with the same id replace each other."""
    speaker: Speaker
    text: Words
    start: UnixTime
    end: UnixTime
    final: bool = False
    approximate: bool = False


class FaultRaised(Message, frozen=True, tag="fault"):
    """Something a visitor would notice went wrong."""

    at: UnixTime
    fault: Name
    text: Words
    session: Name | None = None


class OperatorNote(Message, frozen=True, tag="operator_note"):
    """What somebody in the room wants the operator to know, in the model's words."""

    session: Name
    at: UnixTime
    text: Annotated[str, Meta(min_length=1, max_length=500)]


Milliseconds = Annotated[int, Meta(ge=0, le=600_000)]

MOST_TURNS: Final = 200
"""Turns of one session whose figures are told; later ones are left out."""


class TurnFigures(Message, frozen=True):
    """How long one answer took: from the end of speech to the first sample at the speaker, and what of it was where.

    The parts are None where they could not be measured; `model` includes the service's wait for the end of the turn.
    """

    total: Milliseconds
    network: Milliseconds | None = None
    model: Milliseconds | None = None
    device: Milliseconds | None = None


class SessionFigures(Message, frozen=True, tag="session_figures"):
    """What one session was like, in numbers and without a word of it; comes after `SessionEnded`."""

    session: Name
    at: UnixTime
    seconds: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    listening: Milliseconds | None = None
    """From the press until the model listened; None if it never did."""
    on_air: Milliseconds | None = None
    """From the press until the broadcast was up; None if it never was."""
    turns: Annotated[list[TurnFigures], Meta(max_length=MOST_TURNS)] = []
    tools: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Calls of tools."""
    recorded: bool = False
    """Whether the robot keeps a record of it."""


class Trace(Message, frozen=True, tag="trace"):
    """Monotonic seconds (CLOCK_MONOTONIC of the device) at which steps of one start were reached."""

    session: str
    marks: dict[str, float]


Event = (
    CallAnswered
    | CallLeft
    | SessionStarted
    | SessionGoesOn
    | SessionEnded
    | SessionFigures
    | Caption
    | FaultRaised
    | OperatorNote
    | Trace
)


def decode_event(data: bytes) -> Event:
    """Return the event that `data` holds.

    Raises:
        MalformedMessageError: it holds none.
    """
    return decode(data, Event)  # type: ignore[arg-type]  # a union is a type to msgspec


class Levels(Message, frozen=True):
    """RMS levels in dBFS of the last meter interval; -100 is digital silence."""

    user: float = -100.0
    assistant: float = -100.0
    programme: float = -100.0


class Metrics(Message, frozen=True):
    """Plain numbers: levels, and counters that only grow."""

    at: float
    levels: Levels = Levels()
    counters: dict[str, float] = {}
