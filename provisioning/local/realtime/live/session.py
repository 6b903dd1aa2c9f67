"""PURE. The session object of a Live session: what may be asked for, and what the stand-in reads from it."""

from __future__ import annotations

import copy
from typing import Annotated, Any, Final, Literal

import msgspec

from provisioning.local.realtime.messages import Event
from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.tools import Function

MODELS: Final = "gpt-live-"
DEFAULT_VOICE: Final = "marin"


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what is asked for; the service refuses fields that it does not know."""


class _Output(_Strict, frozen=True):
    voice: str | dict[str, str] = DEFAULT_VOICE


class _Audio(_Strict, frozen=True):
    output: _Output = _Output()


class _Selector(_Strict, frozen=True):
    type: str
    response_event: str | None = None


class _DataChannel(_Strict, frozen=True):
    allowed_client_events: Literal["all"] | list[str] | None = None
    allowed_server_events: Literal["all"] | list[_Selector] | None = None


class _Client(_Strict, frozen=True):
    data_channel: _DataChannel


class _Reasoning(_Strict, frozen=True):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    summary: Literal["concise", "detailed", "auto"] | None = None


class _Responses(_Strict, frozen=True):
    model: str
    instructions: str | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=16)] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: _Reasoning | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None
    tools: list[Function] = []


class _Delegation(_Strict, frozen=True, tag_field="type", tag="responses"):
    responses: _Responses
    acknowledgement_delay_ms: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _Asked(_Strict, frozen=True):
    model: str
    audio: _Audio = _Audio()
    client: _Client | None = None
    delegation: _Delegation | None = None
    instructions: str | None = None
    safety_identifier: str | None = None
    store: bool = False


class LiveSession:
    """One session object and its rules.

    Raises:
        RefusedError: what was asked for is not a session, or one that the stand-in cannot hold.
    """

    def __init__(self, name: str, expires_at: int, asked: Any) -> None:
        try:
            self._asked = msgspec.convert(asked, _Asked)
        except msgspec.ValidationError as error:
            raise RefusedError(400, "invalid_value", f"Invalid session: {error}", param="session") from None
        if not self._asked.model.startswith(MODELS):
            text = f"The model '{self._asked.model}' is not supported for Live sessions."
            raise RefusedError(400, "invalid_model", text, param="session.model")
        self.id = name
        whole = {"audio": {"output": {"voice": DEFAULT_VOICE}}, "store": False, **asked}
        self._view = {**whole, "id": name, "expires_at": expires_at, "status": "active"}

    @property
    def view(self) -> dict[str, Any]:
        """The whole object, as events show it."""
        return copy.deepcopy(self._view)

    @property
    def tools(self) -> frozenset[str]:
        """The names of the tools that the model behind may call."""
        backend = self._backend
        return frozenset() if backend is None else frozenset(tool.name for tool in backend.tools)

    @property
    def backend_model(self) -> str:
        """The model behind; empty where the client would have to do the work."""
        return "" if self._backend is None else self._backend.model

    @property
    def instructions(self) -> str:
        """What both models are told, together."""
        backend = self._backend
        return (self._asked.instructions or "") + ((backend and backend.instructions) or "")

    @property
    def language(self) -> str:
        """The language to answer in: what the instructions are written in."""
        return "ja" if any("\u3041" <= letter <= "\u30ff" for letter in self.instructions) else "en"

    @property
    def limited(self) -> bool:
        """Whether the frontend may not send or hear everything."""
        return self._asked.client is not None

    def may_send(self, kind: str) -> bool:
        """Tell whether the frontend may send events of this type."""
        allowed = None if self._asked.client is None else self._asked.client.data_channel.allowed_client_events
        return allowed is None or allowed == "all" or kind in allowed

    def may_hear(self, event: Event) -> bool:
        """Tell whether this event goes to the frontend."""
        allowed = None if self._asked.client is None else self._asked.client.data_channel.allowed_server_events
        if allowed is None or allowed == "all":
            return True
        nested = event["event"]["type"] if event["type"] == "response.event" else None
        return _Selector(event["type"], nested) in allowed

    @property
    def _backend(self) -> _Responses | None:
        return None if self._asked.delegation is None else self._asked.delegation.responses
