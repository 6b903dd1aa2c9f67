"""PURE. The phases of a robot's life, and what can happen in them: the vocabulary of the session machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.messages.commands import Update
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
    RECONNECTING = "reconnecting"
    ENDING = "ending"
    FAULT = "fault"
    STOPPED = "stopped"


LIVE = frozenset({Phase.LISTENING, Phase.THINKING, Phase.SPEAKING})
"""The phases in which a conversation is going on."""


TALKING = LIVE | {Phase.RECONNECTING}
"""The phases between the first call of a session and its end: also while that call is gone, and the next not there yet."""


AT_REST = frozenset({Phase.OFFLINE, Phase.IDLE, Phase.FAULT})
"""The phases in which nothing goes on that a new connection to the cloud would disturb."""


STANDSTILL: Final = "standstill"
"""The fault of a robot in which something has stopped that must go on; only a new process mends it."""
NO_SOUND: Final = "sound"
"""The fault of a robot without a sound card."""
HOPELESS: Final = frozenset({"insufficient_quota"})
"""Codes of failed answers after which none will succeed."""


class Chime(StrEnum):
    """The earcons a session asks for; `device.panel.earcons` gives them their sound."""

    START = "start"
    LIVE = "live"
    END = "end"
    ERROR = "error"
    ANNOUNCE = "announce"
    MUTED = "muted"
    UNMUTED = "unmuted"
    ON_AIR = "on air"
    OFF_AIR = "off air"


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
class LetGo:
    """The button came up, after so many `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ClaimWished:
    """Somebody holds the button so long that they want the robot to wait for a claim."""


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
    """The call did not come up, or is over without our doing; `code` is None for a proper end.

    What a call tells names its number (`device.handover`); what is told by another than the one in use is dropped.
    """

    session: str
    code: str | None
    text: str
    call: int = 0
    renewable: bool = False
    """Whether another call may take its place."""
    broke_off: bool = False
    """Whether it died in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class SpareReady:
    """A second call is up, has proved that it hears, and knows what was said."""

    session: str
    spare: int
    """Its number."""


@dataclass(frozen=True, slots=True)
class SpareLost:
    """There is no second call: it was refused, did not come up, or is gone again."""

    session: str
    spare: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The conversation's floor changed hands: listening, thinking or speaking."""

    session: str
    phase: Phase
    call: int = 0


@dataclass(frozen=True, slots=True)
class Speech:
    """Somebody in the room began to speak, or has stopped."""

    session: str
    began: bool
    call: int = 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the robot said was sent to its end, not cut."""

    session: str
    call: int = 0


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """The model gave no answer, or not all of it."""

    session: str
    code: str
    text: str
    call: int = 0


@dataclass(frozen=True, slots=True)
class MuteWished:
    """Somebody wants the microphone closed, or open again."""

    on: bool


@dataclass(frozen=True, slots=True)
class MuteSwitched:
    """The switch of the microphone was put to off, or to on again; None: its button was pressed."""

    off: bool | None


@dataclass(frozen=True, slots=True)
class Hushed:
    """Somebody wants the robot to stop what it is saying."""


@dataclass(frozen=True, slots=True)
class SayWished:
    """An operator wants the model to say something; `text` is what it is told."""

    text: str
    wish: int
    """By which `Settle` tells what came of it."""


@dataclass(frozen=True, slots=True)
class Written:
    """An operator puts a question to the model in writing, as a visitor would put it aloud."""

    text: str
    wish: int
    """As in `SayWished`."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """The model has answered what an operator wanted of it; or it has not, and `why_not` says why."""

    session: str
    wish: int
    why_not: str = ""
    call: int = 0


@dataclass(frozen=True, slots=True)
class BroadcastWished:
    """Somebody wants the broadcast to begin, or to stop."""

    on: bool


@dataclass(frozen=True, slots=True)
class CutWished:
    """Somebody at the robot wants nobody outside to hear what was just said."""


@dataclass(frozen=True, slots=True)
class EndWished:
    """The model ends the conversation; `said` is whether it has said goodbye already."""

    session: str
    said: bool
    call: int = 0


@dataclass(frozen=True, slots=True)
class ToolOrdered:
    """An operator's signed order to use a tool; `arguments` is JSON."""

    command: str
    issuer: str
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class UpdateOrdered:
    """An operator's signed order to become another version; the machine is not asked, the talk goes on."""

    command: str
    issuer: str
    update: Update


@dataclass(frozen=True, slots=True)
class UpdateStaged:
    """Another version lies ready, and the next start is its trial."""

    version: str


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
class SoundLost:
    """The sound card is gone: the robot hears nothing and is not heard."""

    text: str


@dataclass(frozen=True, slots=True)
class SoundBack:
    """The sound card is there again."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Something in the robot stands still that must go on, and does not go on by itself; `text` says what."""

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
    | LetGo
    | ClaimWished
    | StartOrdered
    | StopOrdered
    | Granted
    | Refused
    | CallUp
    | CallLost
    | SpareReady
    | SpareLost
    | Turn
    | Speech
    | Spoken
    | AnswerFailed
    | MuteWished
    | MuteSwitched
    | Hushed
    | SayWished
    | Written
    | Heeded
    | BroadcastWished
    | CutWished
    | EndWished
    | ToolOrdered
    | UpdateStaged
    | OnAir
    | OffAir
    | SoundLost
    | SoundBack
    | Stalled
    | Released
    | Elapsed
    | Quit
)
