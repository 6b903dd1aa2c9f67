"""PURE. What one scripted conversation proved, as data and as words."""

from __future__ import annotations

from typing import Any

import msgspec


class CaptionLine(msgspec.Struct, frozen=True):
    """One caption as observers saw it; times are seconds since the first one began."""

    speaker: str
    text: str
    start: float
    end: float


class TurnLine(msgspec.Struct):
    """One turn of a scenario, as it was played."""

    asked: str
    heard: str = ""
    """What the stand-in understood."""
    called: list[str] = []
    """The tools that it called."""
    said: list[str] = []


class Summary(msgspec.Struct, kw_only=True):
    """The result of `--once`; None where it was not reached."""

    ok: bool = False
    failed: list[str] = []
    """The links that did not carry what they should, in words."""
    press_to_light_ms: float | None = None
    press_to_earcon_ms: float | None = None
    press_to_listening_ms: float | None = None
    question_end_to_answer_ms: float | None = None
    barge_in_to_silence_ms: float | None = None
    mic_to_hls_ms: float | None = None
    hls_user_dbfs: float | None = None
    hls_assistant_dbfs: float | None = None
    hls_user_likeness: float | None = None
    hls_assistant_likeness: float | None = None
    heard: str = ""
    """What the stand-in understood of the question."""
    hls_url: str = ""
    page_url: str = ""
    captions: list[CaptionLine] = []
    turns: list[TurnLine] = []
    """Those of a scenario."""
    stood_in: list[str] = []
    """What took the place of real hardware or services."""
    seconds: float | None = None


def as_json(summary: Summary) -> str:
    """Return the summary as indented JSON with rounded figures."""
    return msgspec.json.format(msgspec.json.encode(_rounded(msgspec.to_builtins(summary))), indent=2).decode()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 2)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
