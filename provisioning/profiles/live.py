"""PURE. The `session` of a Live session, from a profile, and what of a profile a Live session cannot do.

Field by field after `openai.types.live.media_session_config_param` (openai-python 3.54, MIT).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from device.messages.tools import LOOK_UP, ToolDeclaration, as_function
from provisioning.profiles.knowledge import Plan, instructions
from provisioning.profiles.persona import Persona
from provisioning.spending.prices import DELEGATION_TOKENS

MODELS: Final = "gpt-live-"
"""How the names of models begin that speak in Live sessions."""

SENT: Final = (
    "session.instructions.append",
    "session.thinking.append",
    "response.item.create",
    "response.create",
    "session.close",
)
"""The events that a robot may send: nothing that would change the session."""

HEARD: Final = (
    "session.started",
    "session.closed",
    "session.usage.updated",
    "session.input_transcript.delta",
    "session.output_transcript.delta",
    "session.delegation.created",
    "session.instructions.appended",
    "session.thinking.appended",
    "error",
    "info",
)
"""The events that a robot is told."""

HEARD_OF_BACKEND: Final = (
    "response.created",
    "response.output_item.done",
    "response.completed",
    "response.failed",
    "response.incomplete",
)
"""Of the model behind: that it works, what it calls, and what it used; not what it writes and thinks."""

_HANDS: Final = "You have no hands of your own. Whenever somebody wants one of these, delegate it, and only say that it is done once it is: "


def live_session(persona: Persona, tools: Sequence[ToolDeclaration], knowledge: Plan) -> dict[str, Any]:
    """Return the `session` of `POST /v1/live/sessions` with these tools; what the service's own default is, is left out.

    Both models are told the same, and the one that speaks also what it can have done by the other.
    """
    told = instructions(persona, knowledge, searchable=any(tool.name == LOOK_UP for tool in tools))
    hands = _HANDS + ", ".join(tool.name for tool in tools) + "." if tools else ""
    session: dict[str, Any] = {
        "model": persona.model,
        "audio": {"output": {"voice": persona.voice}},
        "delegation": {"type": "responses", "responses": _backend(persona, told, tools)},
        "client": {"data_channel": _permissions()},
    }
    spoken = "\n\n".join(filter(None, (told, hands)))
    return session | ({"instructions": spoken} if spoken else {})


def _backend(persona: Persona, told: str, tools: Sequence[ToolDeclaration]) -> dict[str, Any]:
    backend: dict[str, Any] = {"model": persona.backend_model, "max_output_tokens": DELEGATION_TOKENS}
    if told:
        backend["instructions"] = told
    if persona.reasoning_effort:
        backend["reasoning"] = {"effort": persona.reasoning_effort}
    if tools:
        backend |= {"tools": [as_function(tool) for tool in tools], "tool_choice": "auto"}
    return backend


def _permissions() -> dict[str, Any]:
    backend = [{"type": "response.event", "response_event": kind} for kind in HEARD_OF_BACKEND]
    return {
        "allowed_client_events": list(SENT),
        "allowed_server_events": [*({"type": kind} for kind in HEARD), *backend],
    }


_UNCHANGED: Final = {
    "vad": "has no turns: it listens and speaks at once, and there is no push-to-talk",
    "eagerness": "has no turns",
    "threshold": "has no turns",
    "silence_ms": "has no turns",
    "single_turn": "has no turns, so that no answer is the last",
    "speed": "speaks as fast as it speaks",
    "noise_reduction": "has no such setting",
    "transcription_model": "transcribes by itself, and a robot knows by those words alone that somebody speaks",
    "answer_tokens": "has no longest answer",
    "history_tokens": "keeps its history by itself",
    "history_kept": "keeps its history by itself",
    "mcp": "takes MCP servers, but by which fields the vendor's types do not say",
}
"""Keys that mean nothing in a Live session, and why."""


def live_mistakes(persona: Persona) -> Iterator[tuple[str, str]]:
    """Yield the key of each value that does not go with `opening`, and why."""
    speaks_live = persona.model.startswith(MODELS)
    if persona.opening != "live":
        if speaks_live:
            yield "model", f'{persona.model} speaks in Live sessions only; set opening = "live"'
        return
    if not speaks_live:
        yield "model", f"{persona.model} does not speak in Live sessions; gpt-live-1 does"
    usual = Persona()
    for key, why in _UNCHANGED.items():
        if getattr(persona, key) != getattr(usual, key):
            yield key, f"a Live session {why}"
