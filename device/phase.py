"""PURE. The phases of a robot's life, and what can happen in them: the vocabulary of the session machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.messages.commands import Step
from device.messages.minting import Grant


class Phase(StrEnum):
    """Where the robot stands; a light pattern, a word on the page, and a row of the table each."""

    STARTING = "starting"
    OFFLINE = "offline"
    IDLE = "idle"
    ANNOUNCING = "announcing"
    PREPARING = "preparing"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    ENDING = "ending"
    FAULT = "fault"
    STOPPED = "stopped"


LIVE = frozenset({Phase.LISTENING, Phase.THINKING, Phase.SPEAKING})
"""The phases in which a conversation is going on."""


class Chime(StrEnum):
    """The earcons a session asks for; `device.panel.earcons` gives them their sound."""

    START = "start"
    LIVE = "live"
    END = "end"
    ERROR = "error"
    ANNOUNCE = "announce"


# What can happen -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything the robot owns has come up."""


@dataclass(frozen=True, slots=True)
class BrokerUp:
    """The cloud can be reached."""


@dataclass(frozen=True, slots=True)
class BrokerDown:
    """The cloud cannot be reached."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """The button went down."""


@dataclass(frozen=True, slots=True)
class StartOrdered:
    """An operator's signed order to start."""

    command: str
    issuer: str


@dataclass(frozen=True, slots=True)
class StopOrdered:
    """An operator's signed order to stop."""

    command: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The cloud granted the session."""

    session: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Refused:
    """The cloud granted nothing: it said no, or said nothing in time."""

    session: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class CallUp:
    """The model hears the microphone."""

    session: str


@dataclass(frozen=True, slots=True)
class CallLost:
    """The call did not come up, or is over without our doing; `code` is None for a proper end."""

    session: str
    code: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The conversation's floor changed hands: listening, thinking or speaking."""

    session: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class Speech:
    """Somebody in the room began to speak, or has stopped."""

    session: str
    began: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the robot said was sent to its end, not cut."""

    session: str


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """The model gave no answer, or not all of it."""

    session: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class MuteWished:
    """Somebody wants the microphone closed, or open again."""

    on: bool


@dataclass(frozen=True, slots=True)
class Hushed:
    """Somebody wants the robot to stop what it is saying."""


@dataclass(frozen=True, slots=True)
class BroadcastWished:
    """Somebody wants the broadcast to begin, or to stop."""

    on: bool


@dataclass(frozen=True, slots=True)
class EndWished:
    """The model ends the conversation; `said` is whether it has said goodbye already."""

    session: str
    said: bool


@dataclass(frozen=True, slots=True)
class ToolOrdered:
    """An operator's signed order to use a tool; `arguments` is JSON."""

    command: str
    issuer: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class OnAir:
    """Observers hear the programme."""

    session: str


@dataclass(frozen=True, slots=True)
class OffAir:
    """Observers hear nothing; the conversation goes on."""

    session: str
    text: str


@dataclass(frozen=True, slots=True)
class Released:
    """Everything the session held has been given back."""

    session: str


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The machine's own deadline has passed."""


@dataclass(frozen=True, slots=True)
class Quit:
    """The process was asked to end."""


Event = (
    Ready
    | BrokerUp
    | BrokerDown
    | Pressed
    | StartOrdered
    | StopOrdered
    | Granted
    | Refused
    | CallUp
    | CallLost
    | Turn
    | Speech
    | Spoken
    | AnswerFailed
    | MuteWished
    | Hushed
    | BroadcastWished
    | EndWished
    | ToolOrdered
    | OnAir
    | OffAir
    | Released
    | Elapsed
    | Quit
)


# What is to be done about it -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Show:
    """Bring light, on-air lamp, microphone and published state up to date with the machine."""


@dataclass(frozen=True, slots=True)
class Play:
    """Sound an earcon."""

    chime: Chime


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep what the microphone hears from now on, so that no first word is lost."""


@dataclass(frozen=True, slots=True)
class Mint:
    """Ask the cloud for the session."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Open the Realtime call."""

    session: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class OpenBroadcast:
    """Go on air, and stay there until released."""

    session: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class CloseBroadcast:
    """Go off air, while the conversation goes on."""

    session: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ask the model to say something now."""

    session: str
    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop what the robot is saying."""

    session: str


@dataclass(frozen=True, slots=True)
class UseTool:
    """Use a tool for an operator, and tell them what came of it."""

    command: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Release:
    """Give back everything the session holds, then answer `Released`."""

    session: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Tell an operator how far an order has come."""

    command: str
    step: Step
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportStarted:
    """Tell the cloud that the conversation runs."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReportEnded:
    """Tell the cloud that the session is over and released."""

    session: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ReportFault:
    """Tell the cloud what went wrong."""

    session: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Exit:
    """End the process; with `failed`, so that it is started again."""

    failed: bool = False


Command = (
    Show
    | Play
    | Keep
    | Mint
    | OpenCall
    | OpenBroadcast
    | CloseBroadcast
    | Prompt
    | Interrupt
    | UseTool
    | Release
    | Acknowledge
    | ReportStarted
    | ReportEnded
    | ReportFault
    | Exit
)
