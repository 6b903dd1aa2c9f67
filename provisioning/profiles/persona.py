"""PURE. What a profile says: who the robot is, how it listens, and what it may do, as flat TOML."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from device.messages.minting import CLOSING
from device.messages.settings import Settings
from device.messages.tools import BUILT_IN
from provisioning.profiles.mcp import McpServer

NAME: Final = r"^[a-z0-9][a-z0-9-]{0,39}\Z"
"""The name of a profile."""

MOST_WORDS: Final = 100

MOST_HIDDEN: Final = 1_500
"""Bytes of all hidden words of a profile: what a grant has room for beside those of the settings."""

ReasoningEffort = Literal["", "minimal", "low", "medium", "high", "xhigh"]
"""How long the model thinks before it speaks, in the words of the service; its own default when empty."""


class Persona(Settings, frozen=True):
    """What is bound into a secret for a session, and what its robot is told; also part of `[openai]`."""

    model: str = "gpt-realtime-2.1"
    voice: str = "marin"
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] = 1.0
    """How fast it speaks."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")] = "en"
    """ISO 639-1; for the transcriber, and for the words on the observers' page."""
    instructions: str = ""
    reasoning_effort: ReasoningEffort = ""
    vad: Literal["semantic_vad", "server_vad", "push_to_talk"] = "semantic_vad"
    """Who hears that it is the robot's turn: the service by what was said, or by silence; or the visitor lets go of the
    button, and is heard only while they hold it."""
    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    """How soon `semantic_vad` takes a visitor to have finished: after at most 8, 4 or 2 s; `auto` is `medium`."""
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.5
    """How loud speech is for `server_vad`."""
    silence_ms: Annotated[int, Meta(ge=100, le=5000)] = 500
    """How long a visitor must be silent to have finished, for `server_vad`."""
    noise_reduction: Literal["near_field", "far_field", "off"] = "far_field"
    transcription_model: str = "gpt-transcribe"
    """Captions of what visitors say; none when empty."""
    words: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=60)], ...], Meta(max_length=MOST_WORDS)] = ()
    """Names and words that come up here, for the transcriber and the model."""
    hidden_words: tuple[Annotated[str, Meta(min_length=1, max_length=60)], ...] = ()
    """Words that the model is told never to say, and that are masked in captions and picture if they are said; 1,500 bytes
    together, besides those of `[web]`."""
    tools: tuple[str, ...] = BUILT_IN
    """Names of robots' tools that the model may call, or `"*"`: whatever a robot has; those that every robot has, if
    nothing is said. Makers' own tools and outputs must be named here."""
    mcp: Annotated[tuple[McpServer, ...], Meta(max_length=8)] = ()
    """Servers whose tools the service itself calls."""
    greeting: str = ""
    """What the model is asked for when it begins to hear, such as "Greet the visitor in one short sentence."; it waits
    for the visitor when empty."""
    idle_warning: str = (
        "Nobody has said anything for a while. Ask in one short sentence whether anybody is still there, and say that "
        "you will end the conversation otherwise."
    )
    """What it is asked for when nobody has said anything for the idle limit; nothing when empty."""
    farewell: str = "Nobody has answered. Say goodbye in one short sentence."
    """What it is asked for when nobody answers that; the conversation just ends when empty."""
    limit_warning: str = CLOSING
    """What it is asked for before a conversation is ended because it has lasted as long as it may, `{seconds}` being how long
    that is; it just ends when empty."""
    limit_warning_seconds: Annotated[float, Meta(ge=0, le=600)] = 30.0
    """How long before; never in a conversation that may last less than four times as long."""
    single_turn: bool = False
    """Whether a conversation is one question and its answer, so that a robot among many people hears nobody else."""
    knowledge_tokens: Annotated[int, Meta(ge=0, le=4000)] = 2000
    """How much of its texts goes into the instructions; the rest is looked up."""
    answer_tokens: Annotated[int, Meta(ge=0, le=4096)] = 0
    """The longest answer, text and sound together; no limit of ours when 0. An answer that reaches it is cut."""
    history_tokens: Annotated[int, Meta(ge=0, le=96_000)] = 0
    """How much of the conversation the model remembers, and is billed for again with each answer; as much as it can when
    0."""
    history_kept: Annotated[float, Meta(gt=0, le=1)] = 0.3
    """How much of that is kept when it is full. What is kept is billed once more as if it were new, which costs up to 80
    times as much as remembering it: to drop much at once, and seldom, is cheaper."""
    opening: Literal["secret", "exchanged", "live"] = "secret"
    """How a robot is given a call: by a secret with which it offers one to the service; or, experimental, the cloud offers it
    for the robot and hands it the answer, which robots with `[realtime] exchange = "cloud"` can take. With `live` the call
    is a Live session (`POST /v1/live/sessions`), full duplex, and `model` one that speaks in those."""
    backend_model: Annotated[str, Meta(min_length=1, max_length=40)] = "gpt-5.6-luna"
    """To which model of the Responses API a Live model gives what it does not do itself, above all calls of tools."""

    @property
    def billed(self) -> str:
        """By which model, or models, sessions are billed: `gpt-live-1+gpt-5.6-luna` for a Live session."""
        return f"{self.model}+{self.backend_model}" if self.opening == "live" else self.model


class Profile(Persona, frozen=True):
    """A profile of its own, as it is kept in the store."""

    session_seconds: Annotated[float, Meta(gt=0, le=3600)] | None = None
    """Longest session; no longer than the settings' `[limits]` allow."""
    idle_seconds: Annotated[float, Meta(gt=0)] | None = None
    """How long nobody needs to say anything before the robot asks."""
