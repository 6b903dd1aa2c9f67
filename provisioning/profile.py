"""PURE. The profile that is bound into every Realtime secret: who the robot is, and how it listens."""

from __future__ import annotations

from typing import Any

from provisioning.settings import OpenAISettings


def session(settings: OpenAISettings) -> dict[str, Any]:
    """Return the `session` of a client secret (GA shape, `POST /v1/realtime/client_secrets`)."""
    profile: dict[str, Any] = {
        "type": "realtime",
        "model": settings.model,
        "output_modalities": ["audio"],
        "audio": {"input": _hearing(settings), "output": {"voice": settings.voice}},
    }
    if settings.instructions:
        profile["instructions"] = settings.instructions
    return profile


def _hearing(settings: OpenAISettings) -> dict[str, Any]:
    hearing: dict[str, Any] = {
        "turn_detection": {"type": settings.vad, "create_response": True, "interrupt_response": True}
    }
    if settings.noise_reduction != "off":
        hearing["noise_reduction"] = {"type": settings.noise_reduction}
    if settings.transcription_model:
        hearing["transcription"] = {"model": settings.transcription_model, "language": settings.language}
    return hearing
