"""PURE. The profile that is bound into every Realtime secret: who the robot is, how it listens, and what it may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from device.messages.minting import Prompts
from device.messages.tools import ToolDeclaration, as_function
from provisioning.settings import OpenAISettings


def session(settings: OpenAISettings, tools: Sequence[ToolDeclaration] = ()) -> dict[str, Any]:
    """Return the `session` of a client secret (GA shape, `POST /v1/realtime/client_secrets`) with these tools."""
    profile: dict[str, Any] = {
        "type": "realtime",
        "model": settings.model,
        "output_modalities": ["audio"],
        "audio": {"input": _hearing(settings), "output": {"voice": settings.voice}},
    }
    if settings.instructions:
        profile["instructions"] = settings.instructions
    if tools:
        profile |= {"tools": [as_function(tool) for tool in tools], "tool_choice": "auto"}
    return profile


def prompts(settings: OpenAISettings) -> Prompts:
    """Return what the model is to be asked to say at certain moments."""
    return Prompts(greeting=settings.greeting, warning=settings.idle_warning, farewell=settings.farewell)


def _hearing(settings: OpenAISettings) -> dict[str, Any]:
    detection = {"type": settings.vad, "create_response": True, "interrupt_response": True}
    hearing: dict[str, Any] = {"turn_detection": None if settings.vad == "push_to_talk" else detection}
    if settings.noise_reduction != "off":
        hearing["noise_reduction"] = {"type": settings.noise_reduction}
    if settings.transcription_model:
        hearing["transcription"] = {"model": settings.transcription_model, "language": settings.language}
    return hearing
