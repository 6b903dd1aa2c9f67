"""PURE. What a device tells the world: its retained state, events, and meters."""

from __future__ import annotations

from enum import StrEnum

from device.messages.wire import Message, decode


class Lifecycle(StrEnum):
    """Whether the device is there; names from the Homie convention."""

    INIT = "init"
    READY = "ready"
    DISCONNECTED = "disconnected"
    LOST = "lost"


class DeviceState(Message, frozen=True):
    """The retained card of a device; the same with `lost` is its Last Will."""

    device: str
    lifecycle: Lifecycle
    phase: str = "idle"
    """Name of the session machine's state: starting, idle, preparing, listening, thinking, speaking, …"""
    session: str | None = None
    since: float = 0.0
    """Unix seconds at which this phase began, by the device's clock."""
    on_air: bool = False
    fault: str | None = None
    version: str = ""
    echo: str = ""


class Speaker(StrEnum):
    """Whose words a caption shows."""

    USER = "user"
    ASSISTANT = "assistant"


class CallAnswered(Message, frozen=True, tag="call_answered"):
    """The service took the call of a session: from now on the cloud can hang it up by its `call_id`."""

    session: str
    at: float
    call_id: str


class SessionStarted(Message, frozen=True, tag="session_started"):
    """A conversation begins to be heard by the model."""

    session: str
    at: float
    reason: str


class SessionEnded(Message, frozen=True, tag="session_ended"):
    """A conversation is over and everything it held is released."""

    session: str
    at: float
    reason: str
    seconds: float
    usage: dict[str, int] = {}


class Caption(Message, frozen=True, tag="caption"):
    """Words on the clock of what was played; `start` and `end` are Unix seconds by the cloud's clock."""

    session: str
    id: str
    """Captions with the same id replace each other."""
    speaker: Speaker
    text: str
    start: float
    end: float
    final: bool = False
    approximate: bool = False


class FaultRaised(Message, frozen=True, tag="fault"):
    """Something a visitor would notice went wrong."""

    at: float
    fault: str
    text: str
    session: str | None = None


class Trace(Message, frozen=True, tag="trace"):
    """Monotonic seconds (CLOCK_MONOTONIC of the device) at which steps of one start were reached."""

    session: str
    marks: dict[str, float]


Event = CallAnswered | SessionStarted | SessionEnded | Caption | FaultRaised | Trace


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
