"""PURE. What a Live session says on the data channel, and what we say to it.

Names and fields follow the types of the vendor's client, `openai.types.live` (openai-python 3.54, MIT). Only what the
device uses is decoded; everything else is let by and, where its type is unknown, counted.
"""

from __future__ import annotations

from typing import Final

import msgspec

from device.realtime.data_channel import Reader, client_event
from device.realtime.history import ITEM_TOKENS, LETTERS_PER_TOKEN


class _Event(msgspec.Struct, frozen=True, tag_field="type"):
    """Base of every server event; unknown fields are ignored."""


class SessionFacts(msgspec.Struct, frozen=True):
    """The little of a session that is worth a log line."""

    id: str = ""
    model: str = ""


class SessionUsage(msgspec.Struct, frozen=True):
    """How much of the session is billed: its whole length, silence included."""

    seconds: float = 0.0


class SessionStarted(_Event, frozen=True, tag="session.started"):
    """The first event: the session that the cloud asked for is in force; its timeline begins."""

    session: SessionFacts = SessionFacts()


class SessionClosed(_Event, frozen=True, tag="session.closed"):
    """The last event: the session is over and reckoned up."""

    reason: str = ""
    """`close_requested`, `expired`, `content`, `remote_hangup` or `connection_lost`."""
    usage: SessionUsage = SessionUsage()


class UsageUpdated(_Event, frozen=True, tag="session.usage.updated"):
    """What is billed so far, as a total."""

    usage: SessionUsage = SessionUsage()


class _Words(_Event, frozen=True):
    delta: str = ""
    start_ms: int = 0
    """Where on the session's timeline the words lie."""
    end_ms: int = 0


class VisitorWords(_Words, frozen=True, tag="session.input_transcript.delta"):
    """A few more words of whoever talks to the robot; nothing says where a turn of theirs ends."""


class RobotWords(_Words, frozen=True, tag="session.output_transcript.delta"):
    """A few more words of what the robot says; nothing says where it ends."""


class Delegation(msgspec.Struct, frozen=True):
    """Work that the Live model has given away."""

    id: str = ""


class DelegationCreated(_Event, frozen=True, tag="session.delegation.created"):
    """The Live model has given work to the model behind it."""

    delegation: Delegation = Delegation()


class ContextAppended(_Event, frozen=True, tag="session.thinking.appended"):
    """A `session.thinking.append` of ours is in the session's history."""

    client_event_id: str | None = None


class ErrorDetail(msgspec.Struct, frozen=True):
    """Why something failed; branch on `code`, never on `message`."""

    code: str = ""
    message: str = ""
    type: str = ""
    client_event_id: str | None = None
    """The event of ours that caused it."""


class LiveError(_Event, frozen=True, tag="error"):
    """Something was refused; the session goes on."""

    error: ErrorDetail = ErrorDetail()


class CachedDetails(msgspec.Struct, frozen=True):
    """How much of the input was cached."""

    cached_tokens: int = 0


class TokenUsage(msgspec.Struct, frozen=True):
    """What one answer of the model behind is billed, in tokens of text."""

    input_tokens: int = 0
    input_tokens_details: CachedDetails = CachedDetails()
    output_tokens: int = 0


class ResponseError(msgspec.Struct, frozen=True):
    """Why an answer of the model behind failed."""

    code: str | None = None
    message: str | None = None


class Incomplete(msgspec.Struct, frozen=True):
    """Why an answer of the model behind is not whole."""

    reason: str | None = None


class Response(msgspec.Struct, frozen=True):
    """One answer of the model behind; what it put out is not in here but in events of its own."""

    usage: TokenUsage | None = None
    error: ResponseError | None = None
    incomplete_details: Incomplete | None = None


class Item(msgspec.Struct, frozen=True):
    """Something that the model behind has put out; a call of a tool is a `function_call`."""

    type: str = ""
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class Streamed(msgspec.Struct, frozen=True):
    """An event of the Responses API; which fields it has goes by its `type`."""

    type: str = ""
    item: Item | None = None
    response: Response | None = None


class BackendEvent(_Event, frozen=True, tag="response.event"):
    """Something happened at the model behind the Live model."""

    event: Streamed = Streamed()
    delegation_id: str | None = None


ServerEvent = (
    SessionStarted
    | SessionClosed
    | UsageUpdated
    | VisitorWords
    | RobotWords
    | DelegationCreated
    | ContextAppended
    | LiveError
    | BackendEvent
)

UNUSED: Final = frozenset(
    {
        "info",
        "session.commentary.appended",
        "session.input_audio.muted",
        "session.input_audio.unmuted",
        "session.instructions.appended",
        "session.updated",
    }
)
"""Documented events that a robot needs nothing from."""


_EVENT: Final[msgspec.json.Decoder[ServerEvent]] = msgspec.json.Decoder(ServerEvent)
_USED: Final = frozenset(arm.__struct_config__.tag for arm in ServerEvent.__args__)


class EventReader(Reader[ServerEvent]):
    """Reads the events of Live sessions."""

    def __init__(self) -> None:
        super().__init__(_EVENT, _USED, UNUSED)


MOST_TOKENS: Final = 500 - 50
"""Of one text that is appended; the service takes 500, and we can only reckon how many there are."""


def pieces(text: str) -> list[str]:
    """Cut `text`, between words where there are any, into pieces that can each be appended."""
    found, piece, tokens = list[str](), "", float(ITEM_TOKENS)
    for word in _words(text):
        weight = sum(1 / LETTERS_PER_TOKEN if letter.isascii() else 1.0 for letter in word)
        if piece and tokens + weight > MOST_TOKENS:
            found.append(piece.strip())
            piece, tokens = "", float(ITEM_TOKENS)
        piece, tokens = piece + word, tokens + weight
    return [*found, piece.strip()] if piece.strip() else found


def _words(text: str) -> list[str]:
    """Cut after each space, and after each letter of a script that has none; no piece is longer than 100 letters."""
    found, word = list[str](), ""
    for letter in text:
        word += letter
        if letter.isspace() or not letter.isascii() or len(word) == 100:
            found.append(word)
            word = ""
    return [*found, word] if word else found


def instructions_append(text: str) -> str:
    """Return a `session.instructions.append`: what the Live model is to do from now on, 500 tokens at most."""
    return client_event("session.instructions.append", content=text, delegation_id=None)


def thinking_append(text: str, event_id: str) -> str:
    """Return a `session.thinking.append`: what the Live model is to know without speaking of it, 500 tokens at most.

    A `session.thinking.appended`, or else an error, names `event_id`.
    """
    return client_event("session.thinking.append", content=text, delegation_id=None, event_id=event_id)


def function_call_output(call_id: str, output: str) -> str:
    """Return the `response.item.create` that tells what came of a call; no answer follows by itself."""
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return client_event("response.item.create", item=item)


def response_create() -> str:
    """Return a `response.create`: the model behind goes on, with the outcomes that it has been told."""
    return client_event("response.create")


def session_close() -> str:
    """Return a `session.close`; `session.closed` answers with all that is billed."""
    return client_event("session.close")
