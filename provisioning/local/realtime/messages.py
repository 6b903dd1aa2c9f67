"""PURE. The server events, each with every field that the reference requires and none that it does not know."""

from __future__ import annotations

from typing import Any

from provisioning.local.realtime.identifiers import identifier, playback_event_id
from provisioning.local.realtime.refusals import RefusedError

Event = dict[str, Any]
"""One event as it goes over the data channel."""


def _event(kind: str, **fields: Any) -> Event:
    return {"type": kind, "event_id": identifier("event"), **fields}


def session_created(view: dict[str, Any]) -> Event:
    """The first event of a call."""
    return _event("session.created", session=view)


def session_updated(view: dict[str, Any]) -> Event:
    """The whole session after an update."""
    return _event("session.updated", session=view)


def speech_started(item: str, audio_start_ms: int) -> Event:
    """Somebody began to talk."""
    return _event("input_audio_buffer.speech_started", item_id=item, audio_start_ms=audio_start_ms)


def speech_stopped(item: str, audio_end_ms: int) -> Event:
    """They stopped."""
    return _event("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=audio_end_ms)


def timeout_triggered(item: str, start_ms: int, end_ms: int) -> Event:
    """Nobody has said anything since the last answer."""
    return _event("input_audio_buffer.timeout_triggered", item_id=item, audio_start_ms=start_ms, audio_end_ms=end_ms)


def input_committed(item: str, previous: str | None) -> Event:
    """What was heard becomes an item."""
    return _event("input_audio_buffer.committed", item_id=item, previous_item_id=previous)


def input_cleared() -> Event:
    """What was heard is forgotten."""
    return _event("input_audio_buffer.cleared")


def item_added(item: dict[str, Any], previous: str | None) -> Event:
    """An item joins the conversation."""
    return _event("conversation.item.added", item=item, previous_item_id=previous)


def item_done(item: dict[str, Any], previous: str | None) -> Event:
    """An item is complete."""
    return _event("conversation.item.done", item=item, previous_item_id=previous)


def item_deleted(item: str) -> Event:
    """An item has left the conversation."""
    return _event("conversation.item.deleted", item_id=item)


def item_truncated(item: str, audio_end_ms: int) -> Event:
    """The sound of an item was cut after `audio_end_ms`."""
    return _event("conversation.item.truncated", item_id=item, content_index=0, audio_end_ms=audio_end_ms)


def transcription_delta(item: str, delta: str) -> Event:
    """Some of the user's words."""
    kind = "conversation.item.input_audio_transcription.delta"
    return _event(kind, item_id=item, content_index=0, delta=delta)


def transcription_completed(item: str, transcript: str, seconds: float) -> Event:
    """All of the user's words."""
    usage = {"type": "duration", "seconds": round(seconds, 2)}
    kind = "conversation.item.input_audio_transcription.completed"
    return _event(kind, item_id=item, content_index=0, transcript=transcript, usage=usage)


def transcription_failed(item: str) -> Event:
    """The user's words could not be told."""
    error = {"type": "server_error", "code": "server_error", "message": "Transcription failed.", "param": None}
    return _event("conversation.item.input_audio_transcription.failed", item_id=item, content_index=0, error=error)


def playback(state: str, response: str) -> Event:
    """The sound of a response `started`, `stopped` or was `cleared`."""
    return {"type": f"output_audio_buffer.{state}", "event_id": playback_event_id(), "response_id": response}


def response_event(kind: str, response: dict[str, Any]) -> Event:
    """`response.created` or `response.done`."""
    return _event(f"response.{kind}", response=response)


def output_item(kind: str, response: str, item: dict[str, Any], index: int = 0) -> Event:
    """`response.output_item.added` or `.done`, for the item at `index` of the response."""
    return _event(f"response.output_item.{kind}", response_id=response, output_index=index, item=item)


def content(kind: str, response: str, item: str, **fields: Any) -> Event:
    """An event about the one content part of a response."""
    return _event(f"response.{kind}", response_id=response, item_id=item, output_index=0, content_index=0, **fields)


def call_arguments(kind: str, response: str, item: dict[str, Any], index: int, **fields: Any) -> Event:
    """`response.function_call_arguments.delta` or `.done`, for the item at `index` of the response."""
    place = {"response_id": response, "item_id": item["id"], "output_index": index, "call_id": item["call_id"]}
    return _event(f"response.function_call_arguments.{kind}", **place, **fields)


def rate_limits_updated(tokens_left: int) -> Event:
    """What may still be used this minute."""
    limit = {"name": "tokens", "limit": 40_000, "remaining": max(0, tokens_left), "reset_seconds": 0.5}
    return _event("rate_limits.updated", rate_limits=[limit])


def error(refusal: RefusedError, client_event: str | None = None) -> Event:
    """What the client asked for was refused, or the session is over."""
    detail = {
        "type": refusal.kind,
        "code": refusal.code,
        "message": refusal.message,
        "param": refusal.param,
        "event_id": client_event,
    }
    return _event("error", error=detail)


def user_item(item: str, transcript: str | None = None) -> dict[str, Any]:
    """What the user said, as an item."""
    return {
        "id": item,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": transcript}],
    }


def call_item(item: str, call_id: str, name: str, status: str, arguments: str) -> dict[str, Any]:
    """A call of a tool, as an item."""
    return {
        "id": item,
        "object": "realtime.item",
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def assistant_item(item: str, status: str, transcript: str | None) -> dict[str, Any]:
    """What the assistant says, as an item; `transcript` None while there is no content."""
    parts = [] if transcript is None else [{"type": "output_audio", "transcript": transcript}]
    return {
        "id": item,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": parts,
    }


def written_item(item: str, status: str, text: str | None) -> dict[str, Any]:
    """What the assistant writes, as an item; `text` None while there is no content."""
    parts = [] if text is None else [{"type": "output_text", "text": text}]
    return {**assistant_item(item, status, None), "content": parts}
