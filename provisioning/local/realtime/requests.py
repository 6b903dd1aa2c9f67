"""What a client may ask for over the data channel, and how it is told what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from provisioning.local.realtime import messages
from provisioning.local.realtime.dialogue import Dialogue
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.refusals import RefusedError


def carry_out(dialogue: Dialogue, data: str | bytes, send: Callable[[Event], None]) -> None:
    """Do what one message of the client asks for, or send the error that says why not."""
    client_event: str | None = None
    try:
        event = _decoded(data)
        client_event = event.get("event_id")
        _dispatch(dialogue, event, send)
    except RefusedError as refusal:
        send(messages.error(refusal, client_event))


def _decoded(data: str | bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RefusedError(400, "invalid_event", "The message is not a JSON object.") from None


def _dispatch(dialogue: Dialogue, event: dict[str, Any], send: Callable[[Event], None]) -> None:
    match event.get("type"):
        case "session.update":
            dialogue.session.update(event.get("session"))
            send(messages.session_updated(dialogue.session.view))
        case "input_audio_buffer.commit":
            dialogue.commit()
        case "input_audio_buffer.clear":
            dialogue.clear_input()
        case "input_audio_buffer.append" | "conversation.item.truncate":
            pass  # over WebRTC sound comes by RTP, and the service truncates by itself
        case "conversation.item.create":
            dialogue.add_item(_item(event.get("item")))
        case "conversation.item.delete":
            dialogue.delete_item(str(event.get("item_id")))
        case "response.create":
            dialogue.create_response()
        case "response.cancel":
            dialogue.cancel_response()
        case "output_audio_buffer.clear":
            dialogue.clear_output()
        case kind:
            raise RefusedError(400, "invalid_value", f"Invalid value: '{kind}'.", param="type")


def _item(item: Any) -> dict[str, Any]:
    parts = item.get("content", []) if isinstance(item, dict) else None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts) or "type" not in item:
        raise RefusedError(400, "invalid_value", "Invalid value: item.", param="item")
    known = ("type", "role", "content", "id", "status", "call_id", "name", "arguments", "output")
    return {name: item[name] for name in known if name in item}
