"""PURE. Asking for a session, and the grant that carries all it needs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from msgspec import Meta

from device.messages.offers import MOST_SEALED
from device.messages.prices import TokenPrices
from device.messages.secret import MASK, Secret
from device.messages.tools import MOST_TOOLS, ToolDeclaration, ToolName
from device.messages.wire import Message

CLOSING: Final = (
    "This conversation will be ended in about {seconds} seconds, because it has lasted as long as it may. Say so in one short "
    "sentence, in the language that you talk in, and go on listening."
)
"""What the model is asked to say of the end; `{seconds}` stands for how long it is until then."""


SHORTEST: Final = 4.0
"""Times `Limits.notice`: a session that may last less long is over too soon to tell of its end."""


class Refusal(StrEnum):
    """Why the cloud grants no session; each tells the device what to do next."""

    DENIED = "DENIED"
    REVOKED = "REVOKED"
    QUOTA = "QUOTA"
    BUDGET = "BUDGET"
    REPLAY = "REPLAY"
    CLOCK_SKEW = "CLOCK_SKEW"
    BUSY = "BUSY"
    UPSTREAM = "UPSTREAM"


class MintRequest(Message, frozen=True):
    """A device asks for one session; valid for 30 seconds at most."""

    device: str
    nonce: str
    """32 hex digits, fresh; the id of the session from here on, unless it continues another."""
    issued_at: float
    expires_at: float
    reason: str
    """What started it: `button`, or `remote:` and the command's id; `renewal` where it continues another."""
    reply_key: bytes
    """X25519 public key made for this request; the answer is sealed to it."""
    broadcast: bool = True
    tools: Annotated[list[ToolDeclaration], Meta(max_length=MOST_TOOLS)] = []
    """What this robot could do for the model; the cloud chooses."""
    continues: str = ""
    """The session of this device that goes on with another call; a new session begins where it is empty."""
    archive: bool = False
    """Those who talk here have agreed to a recording, so that the broadcast may be archived."""
    offer: Annotated[bytes, Meta(max_length=MOST_SEALED)] = b""
    """The SDP offer of the call, sealed to the minter: the cloud may open the call with it. An earlier cloud answers none."""


class AnsweredCall(Message, frozen=True):
    """A call that the cloud has opened with the offer of a request."""

    sdp: Secret
    """The answer, with its ICE password."""
    call_id: str
    live: bool = False
    """Whether it is a Live session, whose events are not those of the Realtime API."""


class OpenAIGrant(Message, frozen=True):
    """What opens one Realtime call: a secret to offer it with, or the answer to what was offered."""

    expires_at: float
    """Until when it opens one, in Unix seconds."""
    model: str
    base_url: str = ""
    secret: Secret = Secret("")
    answered: AnsweredCall | None = None
    """Only for a request with an offer; there is no secret then."""


class BroadcastGrant(Message, frozen=True):
    """What opens one Sora connection that may send."""

    signalling_urls: list[str]
    channel_id: str
    metadata: dict[str, Any] | None = None
    """What the service is told of the robot; may hold a token, so it is not shown."""
    video: bool = False

    def __repr__(self) -> str:
        return f"BroadcastGrant(channel_id={self.channel_id!r}, metadata={MASK}, video={self.video})"


class Limits(Message, frozen=True):
    """How long a session may last, in seconds."""

    longest: float = 1800.0
    idle: float = 60.0
    single_turn: bool = False
    """It ends with the first answer that was heard to its end."""
    call: float = 3600.0
    """How long one call may last; a session that may last longer goes on with another."""
    push_to_talk: bool = False
    """Nobody detects turns in it: somebody is heard while they hold the button."""
    notice: float = 30.0
    """How long before its end at `longest` the model says so; it says nothing with 0, or in a session shorter than
    `SHORTEST` times as long."""


class Prompts(Message, frozen=True):
    """What the model is asked to say at certain moments; nothing is said where it is empty."""

    greeting: str = ""
    """As soon as it hears."""
    warning: str = ""
    """When nobody has said anything for the idle limit, before the session ends."""
    farewell: str = ""
    """Before the session ends because nobody answered the warning."""
    closing: str = CLOSING
    """`Limits.notice` seconds before the session ends because it has lasted so long."""


class Grant(Message, frozen=True):
    """All that one session needs; one that continues a session carries another call for it, and no broadcast."""

    session: str
    openai: OpenAIGrant
    broadcast: BroadcastGrant | None = None
    no_broadcast: str = ""
    """Why there is none although it was wished for."""
    observer_url: str = ""
    language: str = "en"
    limits: Limits = Limits()
    tools: list[ToolName] = []
    """Names of the robot's tools that the model may call in this session."""
    prompts: Prompts = Prompts()
    hidden_words: list[str] = []
    """What is masked in captions (`word_filter.py`) before they are shown anywhere, the broadcast's picture included."""
    prices: TokenPrices | None = None
    """By which the robot tells what the session has cost so far."""
    knowledge: bytes = b""
    """Texts of the place that the model may look things up in (`device.messages.knowledge`)."""
    server_time: float = 0.0


class MintAnswer(Message, frozen=True):
    """The signed answer to one request: a sealed `Grant`, or a refusal."""

    device: str
    nonce: str
    server_time: float
    sealed: bytes = b""
    refusal: Refusal | None = None
    text: str = ""
    retry_after: float | None = None
