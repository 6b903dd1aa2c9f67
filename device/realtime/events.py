"""PURE. What the Realtime service says on the data channel, and what we say to it.

Names and fields follow the GA event reference (developers.openai.com/api/reference, "Realtime server events" and
"Realtime client events"). Only what the device uses is decoded; everything else is let by, because fields and
types are added to this API monthly.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from device.messages.reports import Speaker
from device.realtime.data_channel import Reader, client_event


class _Event(msgspec.Struct, frozen=True, tag_field="type"):
    """Base of every server event; unknown fields are ignored."""


class SessionFacts(msgspec.Struct, frozen=True):
    """The little of a session object that is worth a log line."""

    id: str | None = None
    model: str | None = None


class SessionCreated(_Event, frozen=True, tag="session.created"):
    """The first event of every call: the session that the secret was bound to is in force."""

    session: SessionFacts = SessionFacts()


class SessionUpdated(_Event, frozen=True, tag="session.updated"):
    """A `session.update` of ours took effect."""

    session: SessionFacts = SessionFacts()


class SpeechStarted(_Event, frozen=True, tag="input_audio_buffer.speech_started"):
    """The service's turn detection heard somebody begin to talk."""

    item_id: str = ""
    audio_start_ms: int = 0
    """On the clock of the audio sent so far; includes the prefix padding."""


class SpeechStopped(_Event, frozen=True, tag="input_audio_buffer.speech_stopped"):
    """The service's turn detection heard them stop."""

    item_id: str = ""
    audio_end_ms: int = 0


class InputCommitted(_Event, frozen=True, tag="input_audio_buffer.committed"):
    """What was heard became an item of the conversation."""

    item_id: str = ""


class PlaybackStarted(_Event, frozen=True, tag="output_audio_buffer.started"):
    """The sound of a response begins to arrive."""

    response_id: str = ""


class PlaybackStopped(_Event, frozen=True, tag="output_audio_buffer.stopped"):
    """The sound of a response has been sent to its end, seconds after `response.done`."""

    response_id: str = ""


class PlaybackCleared(_Event, frozen=True, tag="output_audio_buffer.cleared"):
    """The sound of a response was cut; what has not been played must not be."""

    response_id: str = ""


class ErrorDetail(msgspec.Struct, frozen=True):
    """Why something failed; branch on `code`, never on `message`."""

    code: str | None = None
    message: str | None = None
    type: str | None = None
    event_id: str | None = None
    """The client event that caused it."""


class StatusDetails(msgspec.Struct, frozen=True):
    """Why a response is not simply completed."""

    reason: str | None = None
    error: ErrorDetail | None = None


class CachedDetails(msgspec.Struct, frozen=True):
    """Of which kind the cached tokens were."""

    text_tokens: int | None = None
    audio_tokens: int | None = None


class InputDetails(msgspec.Struct, frozen=True):
    """How the input tokens divide; cached ones are part of the others."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    cached_tokens: int | None = None
    cached_tokens_details: CachedDetails | None = None


class OutputDetails(msgspec.Struct, frozen=True):
    """How the output tokens divide."""

    text_tokens: int | None = None
    audio_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """What one response is billed."""

    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: InputDetails | None = None
    output_token_details: OutputDetails | None = None


class Item(msgspec.Struct, frozen=True):
    """An item of the conversation: a `message`, or a `function_call` with its name and its arguments in JSON."""

    type: str = ""
    status: str | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class Response(msgspec.Struct, frozen=True):
    """One answer of the model."""

    id: str | None = None
    status: str | None = None
    """`in_progress`, `completed`, `cancelled`, `failed` or `incomplete`."""
    status_details: StatusDetails | None = None
    usage: Usage | None = None
    output: tuple[Item, ...] | None = None


class ItemAdded(_Event, frozen=True, tag="conversation.item.added"):
    """An item joined the conversation, ours included: answers that begin from now on know of it."""

    item: Item = Item()


class ItemDeleted(_Event, frozen=True, tag="conversation.item.deleted"):
    """An item has left the conversation."""

    item_id: str = ""


class ResponseCreated(_Event, frozen=True, tag="response.created"):
    """The model began to think."""

    response: Response = Response()


class ResponseDone(_Event, frozen=True, tag="response.done"):
    """Generation is over, for better or worse; the sound may play on for seconds."""

    response: Response = Response()


class TranscriptDelta(_Event, frozen=True, tag="response.output_audio_transcript.delta"):
    """A few more words of the answer; they run ahead of their sound."""

    response_id: str = ""
    item_id: str = ""
    delta: str = ""


class TranscriptDone(_Event, frozen=True, tag="response.output_audio_transcript.done"):
    """All the words of the answer."""

    response_id: str = ""
    item_id: str = ""
    transcript: str = ""


class UserTranscriptDelta(_Event, frozen=True, tag="conversation.item.input_audio_transcription.delta"):
    """A few more words of what another model believes the user said."""

    item_id: str = ""
    delta: str | None = None


class UserTranscriptDone(_Event, frozen=True, tag="conversation.item.input_audio_transcription.completed"):
    """All the words that another model believes the user said; before, during or after the answer."""

    item_id: str = ""
    transcript: str = ""


class UserTranscriptFailed(_Event, frozen=True, tag="conversation.item.input_audio_transcription.failed"):
    """There will be no words for this item; the conversation goes on."""

    item_id: str = ""
    error: ErrorDetail = ErrorDetail()


class ServiceError(_Event, frozen=True, tag="error"):
    """Something was refused; most errors leave the session as it was."""

    error: ErrorDetail = ErrorDetail()


ServerEvent = (
    SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | InputCommitted
    | PlaybackStarted
    | PlaybackStopped
    | PlaybackCleared
    | ItemAdded
    | ItemDeleted
    | ResponseCreated
    | ResponseDone
    | TranscriptDelta
    | TranscriptDone
    | UserTranscriptDelta
    | UserTranscriptDone
    | UserTranscriptFailed
    | ServiceError
)

UNUSED: Final = frozenset(
    {
        "conversation.created",
        "conversation.item.created",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.segment",
        "conversation.item.retrieved",
        "conversation.item.truncated",
        "input_audio_buffer.cleared",
        "input_audio_buffer.timeout_triggered",
        "rate_limits.updated",
        "response.content_part.added",
        "response.content_part.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.done",
    }
)
"""Documented events that a voice conversation over WebRTC needs nothing from."""


_EVENT: Final[msgspec.json.Decoder[ServerEvent]] = msgspec.json.Decoder(ServerEvent)
_USED: Final = frozenset(arm.__struct_config__.tag for arm in ServerEvent.__args__)


class EventReader(Reader[ServerEvent]):
    """Reads the events of the Realtime API."""

    def __init__(self) -> None:
        super().__init__(_EVENT, _USED, UNUSED)


def session_update(session: dict[str, Any]) -> str:
    """Return a `session.update`; only the fields present change, and the model never can."""
    return client_event("session.update", session={"type": "realtime", **session})


def response_create(event_id: str = "") -> str:
    """Return a `response.create`; an error `conversation_already_has_active_response` answers one too many.

    An error that it causes names `event_id`.
    """
    return client_event("response.create", **({"event_id": event_id} if event_id else {}))


def response_cancel(response_id: str | None = None) -> str:
    """Return a `response.cancel`; an error `response_cancel_not_active` answers when there is none."""
    return client_event("response.cancel", **({"response_id": response_id} if response_id else {}))


def output_audio_buffer_clear() -> str:
    """Return an `output_audio_buffer.clear`: stop the sound now (WebRTC only)."""
    return client_event("output_audio_buffer.clear")


def input_audio_buffer_clear() -> str:
    """Return an `input_audio_buffer.clear`: forget what was heard and is not yet part of the conversation."""
    return client_event("input_audio_buffer.clear")


def conversation_item_create(item: dict[str, Any]) -> str:
    """Return a `conversation.item.create` that appends `item` to the conversation."""
    return client_event("conversation.item.create", item=item)


def conversation_item_delete(item_id: str) -> str:
    """Return a `conversation.item.delete` that takes an item out of the conversation."""
    return client_event("conversation.item.delete", item_id=item_id)


def input_audio_buffer_commit(event_id: str = "") -> str:
    """Return an `input_audio_buffer.commit`: make an item of what was heard, and no answer to it.

    An error `input_audio_buffer_commit_empty`, which names `event_id`, answers where less than 100 ms was heard.
    """
    return client_event("input_audio_buffer.commit", **({"event_id": event_id} if event_id else {}))


def said_before(speaker: Speaker, text: str, item_id: str) -> str:
    """Return the `conversation.item.create` that tells the model what was said in an earlier call; `item_id` is new.

    What the assistant has said can be told in words only, as `output_text`.
    """
    kind = "output_text" if speaker is Speaker.ASSISTANT else "input_text"
    part = {"type": kind, "text": text}
    return conversation_item_create({"id": item_id, "type": "message", "role": speaker.value, "content": [part]})


def function_call_output(call_id: str, output: str) -> str:
    """Return the `conversation.item.create` that tells the model what came of a call; no answer follows by itself."""
    return conversation_item_create({"type": "function_call_output", "call_id": call_id, "output": output})


def system_message(text: str, item_id: str) -> str:
    """Return the `conversation.item.create` that tells the model something in the operator's name; `item_id` is new."""
    return _message("system", text, item_id)


def user_message(text: str, item_id: str) -> str:
    """Return the `conversation.item.create` that tells the model in writing what a visitor would say; `item_id` is new."""
    return _message("user", text, item_id)


def _message(role: str, text: str, item_id: str) -> str:
    part = {"type": "input_text", "text": text}
    return conversation_item_create({"id": item_id, "type": "message", "role": role, "content": [part]})
