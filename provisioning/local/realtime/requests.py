"""What a client may ask for over the data channel, and how it is told what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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
            dialogue.add_item(checked_item(event.get("item")))
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


_PARTS: Final = {
    "system": ("input_text",),
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text",),
}
"""What a client may write in whose name; what an assistant has said aloud cannot be written."""

_NEEDED: Final = {
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
}


def checked_item(item: Any) -> dict[str, Any]:
    """Return an item that a client may add to a conversation.

    Raises:
        RefusedError: it is none.
    """
    if not isinstance(item, dict):
        raise RefusedError(400, "invalid_value", "Invalid value: item.", param="item")
    kind = item.get("type")
    if kind == "message":
        _check_message(item)
    elif kind in _NEEDED:
        _check_texts(item, _NEEDED[kind])
    else:
        raise RefusedError(400, "invalid_value", f"Invalid value: '{kind}'.", param="item.type")
    known = ("type", "role", "content", "id", "status", "call_id", "name", "arguments", "output")
    for name in sorted(item.keys() - known):
        raise RefusedError(400, "unknown_parameter", f"Unknown parameter: 'item.{name}'.", param=f"item.{name}")
    return item


def _check_message(item: dict[str, Any]) -> None:
    parts, allowed = item.get("content"), _PARTS.get(str(item.get("role")))
    if allowed is None:
        raise RefusedError(400, "invalid_value", f"Invalid value: '{item.get('role')}'.", param="item.role")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise RefusedError(400, "invalid_value", "Invalid value: item.content.", param="item.content")
    for number, part in enumerate(parts):
        where = f"item.content[{number}]"
        if part.get("type") not in allowed:
            text = f"Invalid value: '{part.get('type')}'. Supported values are: {', '.join(allowed)}."
            raise RefusedError(400, "invalid_value", text, param=f"{where}.type")
        if part["type"].endswith("_text") and not isinstance(part.get("text"), str):
            param = f"{where}.text"
            raise RefusedError(400, "missing_required_parameter", f"Missing parameter: '{param}'.", param=param)


def _check_texts(item: dict[str, Any], needed: tuple[str, ...]) -> None:
    for name in needed:
        param = f"item.{name}"
        if name not in item:
            raise RefusedError(400, "missing_required_parameter", f"Missing parameter: '{param}'.", param=param)
        if not isinstance(item[name], str):
            raise RefusedError(400, "invalid_type", f"Invalid type for '{param}': expected a string.", param=param)
