"""PURE. The server events of a Live session, each with every field that its type requires and none that it does not know."""

from __future__ import annotations

from typing import Any

from provisioning.local.realtime.identifiers import identifier
from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.refusals import RefusedError


def _event(kind: str, client_event: str | None = None, **fields: Any) -> Event:
    caused = {} if client_event is None else {"client_event_id": client_event}
    return {"type": kind, "event_id": identifier("event"), **fields, **caused}


def started(view: dict[str, Any]) -> Event:
    """The first event."""
    return _event("session.started", session=view)


def closed(view: dict[str, Any], reason: str, seconds: float) -> Event:
    """The last event."""
    return _event("session.closed", session=view, reason=reason, usage={"seconds": round(seconds, 3)})


def usage_updated(seconds: float) -> Event:
    """What is billed so far."""
    return _event("session.usage.updated", usage={"seconds": round(seconds, 3)}, context_window={"usage_ratio": 0.01})


def words(whose: str, delta: str, start_ms: int, end_ms: int) -> Event:
    """A few words of the `input` or the `output`, and where they lie on the session's timeline."""
    return _event(f"session.{whose}_transcript.delta", delta=delta, start_ms=start_ms, end_ms=end_ms)


def appended(what: str, at_ms: int, client_event: str | None) -> Event:
    """The client's `instructions`, `thinking` or `commentary` is in the history."""
    return _event(f"session.{what}.appended", client_event, start_ms=at_ms, end_ms=at_ms)


def muted(client_event: str | None, *, muted: bool) -> Event:
    """The client's voice is heard no longer, or again."""
    return _event("session.input_audio.muted" if muted else "session.input_audio.unmuted", client_event)


def delegation_created(delegation: str, response: str, at_ms: int) -> Event:
    """The Live model has given work to the model behind it."""
    given = {"id": delegation, "type": "delegation", "target": "responses", "response_id": response}
    return _event("session.delegation.created", delegation=given, offset_ms=at_ms)


def of_backend(event: dict[str, Any], delegation: str | None) -> Event:
    """Something happened at the model behind the Live model."""
    return _event("response.event", event=event, delegation_id=delegation)


def permissions() -> Event:
    """What the frontend may send and hear is limited."""
    return _event("info", code="data_channel_permissions", message="Some events are not allowed on this data channel.")


def error(refusal: RefusedError, client_event: str | None) -> Event:
    """What the client asked for was refused."""
    detail: dict[str, Any] = {"type": refusal.kind, "code": refusal.code, "message": refusal.message}
    detail |= {"param": refusal.param} if refusal.param else {}
    detail |= {"client_event_id": client_event} if client_event else {}
    return _event("error", error=detail)
