"""PURE. What the session machine wants done about what has happened: the words in which it tells its hands."""

from __future__ import annotations

from dataclasses import dataclass

from device.messages.commands import Step
from device.messages.minting import Grant
from device.phase import Chime


@dataclass(frozen=True, slots=True)
class Show:
    """Bring light, on-air lamp, microphone and published state up to date with the machine."""


@dataclass(frozen=True, slots=True)
class Play:
    """Sound an earcon."""

    chime: Chime


@dataclass(frozen=True, slots=True)
class Excuse:
    """Say in words that there is no answer, after its earcon: of which `code`, and in the talk's `language` if it is known."""

    code: str
    language: str


@dataclass(frozen=True, slots=True)
class FallSilent:
    """Drop the earcon or the words that sound: somebody speaks."""


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
class Renew:
    """Bring up a second call of the session, with a grant that continues it; `SpareReady` or `SpareLost` follows."""

    session: str
    call: int


@dataclass(frozen=True, slots=True)
class Switch:
    """Let the second call take the place of the one in use, between two blocks, and close that."""

    session: str
    call: int


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
class Cut:
    """Drop what nobody outside has heard yet; where nothing is held back, `BroadcastWished` follows."""

    session: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ask the model to say something now; `Heeded` follows where an operator's `wish` has a number."""

    session: str
    text: str
    wish: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """Put a question to the model in writing; `Heeded` follows."""

    session: str
    text: str
    wish: int


@dataclass(frozen=True, slots=True)
class Settle:
    """Tell an operator what came of a wish: it was answered, or `why_not` says why it was not."""

    wish: int
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop what the robot is saying."""

    session: str


@dataclass(frozen=True, slots=True)
class TakeFloor:
    """By push-to-talk: hear somebody from now on; with `fresh`, forget what was heard before."""

    session: str
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class GiveFloor:
    """By push-to-talk: hear nobody any more and, with `answer`, have what was heard answered."""

    session: str
    answer: bool = True


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
class Hurry:
    """Somebody waits for the release: leave out what only observers would miss."""


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
    """End the run: `failed`, to be started again; `claim`, to wait for a claim; `update`, for another version to start."""

    failed: bool = False
    claim: bool = False
    update: bool = False


Command = (
    Show
    | Play
    | Excuse
    | FallSilent
    | Keep
    | Mint
    | OpenCall
    | Renew
    | Switch
    | OpenBroadcast
    | CloseBroadcast
    | Cut
    | Prompt
    | Write
    | Settle
    | Interrupt
    | TakeFloor
    | GiveFloor
    | UseTool
    | Release
    | Hurry
    | Acknowledge
    | ReportStarted
    | ReportEnded
    | ReportFault
    | Exit
)
