"""What a client may ask for over the data channel of a Live session, and how it is told what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from provisioning.local.realtime.live import messages
from provisioning.local.realtime.live.dialogue import LiveDialogue
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.refusals import RefusedError


def carry_out(
    dialogue: LiveDialogue, data: str | bytes, send: Callable[[Event], None], close: Callable[[], None]
) -> None:
    """Do what one message of the client asks for, or send the error that says why not; `close` ends the session."""
    client_event: str | None = None
    try:
        event = _decoded(data)
        client_event = event.get("event_id")
        kind = str(event.get("type"))
        if not dialogue.session.may_send(kind):
            text = f"The event '{kind}' is not allowed on this data channel."
            raise RefusedError(400, "event_not_allowed", text, kind="permission_error", param="type")  # noqa: TRY301 - one way to refuse
        _dispatch(dialogue, kind, event, close)
    except RefusedError as refusal:
        send(messages.error(refusal, client_event))


def _decoded(data: str | bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RefusedError(400, "invalid_event", "The message is not a JSON object.") from None


def _dispatch(dialogue: LiveDialogue, kind: str, event: dict[str, Any], close: Callable[[], None]) -> None:
    name = event.get("event_id")
    match kind:
        case "session.instructions.append":
            dialogue.instruct(_content(event), name)
        case "session.thinking.append" | "session.commentary.append":
            dialogue.inform(kind.split(".")[1], _content(event), name)
        case "session.input_audio.mute" | "session.input_audio.unmute":
            dialogue.mute(name, muted=kind.endswith(".mute"))
        case "response.item.create":
            _add_item(dialogue, event.get("item"))
        case "response.create":
            dialogue.go_on()
        case "session.close":
            close()
        case _:
            raise RefusedError(400, "invalid_value", f"Invalid value: '{kind}'.", param="type")


LONGEST_CONTENT = 500 * 4
"""Letters of what is appended, in the place of the 500 tokens that the real service counts."""


def _content(event: dict[str, Any]) -> str:
    content = event.get("content")
    if "delegation_id" not in event:
        raise RefusedError(
            400, "missing_required_parameter", "Missing parameter: 'delegation_id'.", param="delegation_id"
        )
    if event["delegation_id"] is not None:
        text = "delegation_id is not accepted with Responses delegation."
        raise RefusedError(400, "invalid_value", text, param="delegation_id")
    if not isinstance(content, str) or not content:
        raise RefusedError(400, "invalid_type", "Invalid type for 'content': expected a string.", param="content")
    if len(content) > LONGEST_CONTENT:
        raise RefusedError(400, "string_above_max_length", "'content' is over 500 tokens.", param="content")
    return content


def _add_item(dialogue: LiveDialogue, item: Any) -> None:
    if not isinstance(item, dict) or item.get("type") != "function_call_output":
        raise RefusedError(400, "invalid_value", "The stand-in takes outcomes of calls alone.", param="item.type")
    call_id, output = item.get("call_id"), item.get("output")
    if not isinstance(call_id, str) or not isinstance(output, str):
        raise RefusedError(400, "invalid_type", "call_id and output must be strings.", param="item")
    dialogue.take_outcome(call_id, output)
