"""PURE. The `session` of a client secret, and what its robot is told, from a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from device.messages.minting import Prompts
from device.messages.tools import LOOK_UP, ToolDeclaration, as_function
from provisioning.profiles.knowledge import Plan, instructions
from provisioning.profiles.mcp import McpSecret, as_tools
from provisioning.profiles.persona import Persona

_NO_SECRETS: Mapping[str, McpSecret] = {}
_NOTHING = Plan()


def session(
    persona: Persona,
    tools: Sequence[ToolDeclaration] = (),
    knowledge: Plan = _NOTHING,
    secrets: Mapping[str, McpSecret] = _NO_SECRETS,
) -> dict[str, Any]:
    """Return the `session` of a client secret (GA shape, `POST /v1/realtime/client_secrets`) with these tools.

    What the service's own default is, is left out. The value of an MCP server's authorization is in it, so it is for the
    service alone.
    """
    bound: dict[str, Any] = {
        "type": "realtime",
        "model": persona.model,
        "output_modalities": ["audio"],
        "audio": {"input": _hearing(persona), "output": _speaking(persona)},
    }
    told = instructions(persona, knowledge, searchable=any(tool.name == LOOK_UP for tool in tools))
    if told:
        bound["instructions"] = told
    offered = [*(as_function(tool) for tool in tools), *as_tools(persona.mcp, secrets)]
    if offered:
        bound |= {"tools": offered, "tool_choice": "auto"}
    return bound | _thinking(persona)


def prompts(persona: Persona) -> Prompts:
    """Return what the model is to be asked to say at certain moments."""
    return Prompts(
        greeting=persona.greeting,
        warning=persona.idle_warning,
        farewell=persona.farewell,
        closing=persona.limit_warning,
    )


def _hearing(persona: Persona) -> dict[str, Any]:
    hearing: dict[str, Any] = {"turn_detection": _turns(persona)}
    if persona.noise_reduction != "off":
        hearing["noise_reduction"] = {"type": persona.noise_reduction}
    if persona.transcription_model:
        hearing["transcription"] = _transcription(persona)
    return hearing


def _turns(persona: Persona) -> dict[str, Any] | None:
    if persona.vad == "push_to_talk":
        return None
    turns: dict[str, Any] = {"type": persona.vad, "create_response": True, "interrupt_response": True}
    told: dict[str, tuple[float | str, float | str]]
    if persona.vad == "server_vad":
        told = {"threshold": (persona.threshold, 0.5), "silence_duration_ms": (persona.silence_ms, 500)}
    else:
        told = {"eagerness": (persona.eagerness, "auto")}
    return turns | {name: value for name, (value, usual) in told.items() if value != usual}


def _transcription(persona: Persona) -> dict[str, Any]:
    """Return how captions are made; of words that come up, each model is told in its own way (openai 3.54)."""
    transcription: dict[str, Any] = {"model": persona.transcription_model, "language": persona.language}
    if persona.words and persona.transcription_model.startswith("gpt-transcribe"):
        transcription["keywords"] = list(persona.words)
    elif persona.words and "diarize" not in persona.transcription_model:
        transcription["prompt"] = ", ".join(persona.words)
    return transcription


def _speaking(persona: Persona) -> dict[str, Any]:
    return {"voice": persona.voice, **({} if persona.speed == 1.0 else {"speed": persona.speed})}


def _thinking(persona: Persona) -> dict[str, Any]:
    thinking: dict[str, Any] = {}
    if persona.reasoning_effort:
        thinking["reasoning"] = {"effort": persona.reasoning_effort}
    if persona.answer_tokens:
        thinking["max_output_tokens"] = persona.answer_tokens
    if persona.history_tokens:
        thinking["truncation"] = {
            "type": "retention_ratio",
            "retention_ratio": persona.history_kept,
            "token_limits": {"post_instructions": persona.history_tokens},
        }
    return thinking
