"""PURE. Models whose end is known, as announced by the vendor, so that nobody is surprised by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from provisioning.profiles.persona import Persona

SOURCE: Final = "developers.openai.com/api/docs/deprecations, and the docstrings of openai 3.54 (2026-11-22)"
"""Where the dates are from."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """When a model ends, and what to take instead."""

    on: date
    instead: str


_REALTIME: Final = Shutdown(date(2027, 1, 20), "gpt-realtime-2.1")
_MINI: Final = Shutdown(date(2027, 1, 20), "gpt-realtime-2.1-mini")
_TRANSCRIBER: Final = Shutdown(date(2027, 2, 26), "gpt-transcribe")

SHUTDOWNS: Final = {
    "gpt-realtime": _REALTIME,
    "gpt-realtime-2025-08-28": _REALTIME,
    "gpt-realtime-mini": _MINI,
    "gpt-realtime-mini-2025-12-15": _MINI,
    "whisper-1": _TRANSCRIBER,
    "gpt-4o-transcribe": _TRANSCRIBER,
    "gpt-4o-transcribe-diarize": _TRANSCRIBER,
    "gpt-4o-mini-transcribe": _TRANSCRIBER,
    "gpt-4o-mini-transcribe-2025-12-15": _TRANSCRIBER,
}
"""Dates from `SOURCE`."""

URGENT: Final = timedelta(days=30)


def warnings(persona: Persona, today: date) -> Iterator[str]:
    """Yield a sentence for each model of a profile whose end is known."""
    for model in (persona.model, persona.transcription_model):
        end = SHUTDOWNS.get(model)
        if end is None:
            continue
        if today >= end.on:
            yield f"{model} has been shut down on {end.on}; take {end.instead}"
        else:
            soon = " (soon!)" if end.on - today <= URGENT else ""
            yield f"{model} is shut down on {end.on}{soon}; take {end.instead}"
