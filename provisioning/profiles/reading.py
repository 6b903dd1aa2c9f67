"""PURE. A profile from its TOML, with file, line and key of whatever cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from device.messages.settings import mistaken, read_settings
from device.messages.wire import encode
from provisioning.profiles.live import live_mistakes
from provisioning.profiles.mcp import McpSecret, unusable
from provisioning.profiles.persona import MOST_HIDDEN, Persona, Profile

_DEAF = frozenset({"gpt-live-transcribe", "gpt-realtime-whisper"})
"""Transcribers that need `turn_detection` off (the vendor's page on realtime VAD, 2026-11-22)."""

SHORTEST_HISTORY = 1000


def read_profile(text: str, path: str) -> Profile:
    """Return the profile in the TOML `text`; `path` is for messages only.

    Raises:
        SettingsError: it cannot be used; with line and key.
    """
    profile = read_settings(text, path, Profile)
    for key, reason in mistakes(profile):
        raise mistaken(text, path, reason, key)
    if profile.idle_seconds and profile.session_seconds and profile.idle_seconds > profile.session_seconds:
        raise mistaken(text, path, "is longer than session_seconds", "idle_seconds")
    return profile


def check_authorizations(profile: Profile, text: str, path: str, secrets: Mapping[str, McpSecret]) -> None:
    """Check that what a profile names to open its MCP servers is in the settings.

    Raises:
        SettingsError: it is not, or is for another host; with line and key.
    """
    for number, server in enumerate(profile.mcp):
        if reason := unusable(server, secrets):
            raise mistaken(text, path, reason, "mcp", "authorization", number=number)


def mistakes(persona: Persona) -> Iterator[tuple[str, str]]:
    """Yield the key of each value that does not go with others, and why."""
    yield from live_mistakes(persona)
    if persona.transcription_model in _DEAF and persona.vad != "push_to_talk":
        yield (
            "transcription_model",
            f"{persona.transcription_model} hears nothing in a conversation; take gpt-transcribe",
        )
    if persona.reasoning_effort and persona.opening != "live" and not persona.model.startswith("gpt-realtime-2"):
        yield "reasoning_effort", f"{persona.model} does not reason; gpt-realtime-2 and later do"
    if persona.vad != "semantic_vad" and persona.eagerness != "auto":
        yield "eagerness", "is for semantic_vad; server_vad goes by silence_ms"
    for key, usual in (("threshold", 0.5), ("silence_ms", 500)):
        if persona.vad != "server_vad" and getattr(persona, key) != usual:
            yield key, "is for server_vad; semantic_vad goes by eagerness"
    if 0 < persona.history_tokens < SHORTEST_HISTORY:
        yield "history_tokens", f"under {SHORTEST_HISTORY} the model forgets the question; 0 is no limit"
    if (size := len(encode(persona.hidden_words))) > MOST_HIDDEN:
        yield "hidden_words", f"have {size:,} bytes, over the {MOST_HIDDEN:,} that a grant has room for"
    labels = [server.label for server in persona.mcp]
    if len(set(labels)) < len(labels):
        yield "mcp", "two servers have the same label"
