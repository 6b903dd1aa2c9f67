"""PURE. The session object: its defaults, how a client may change it, and what the stand-in reads from it."""

from __future__ import annotations

import copy
from typing import Annotated, Any, Final, Literal

import msgspec

from provisioning.local.realtime.refusals import RefusedError
from provisioning.local.realtime.tools import Function, Tool, check_servers, shown

DEFAULT_MODEL: Final = "gpt-realtime-2.1"
DEFAULT_VOICE: Final = "marin"

MOST_KEPT_TOKENS: Final = 96_000
"""The context of 128,000 tokens less the longest answer (the vendor's pages of models, 2026-11-22)."""

_LONGEST_WAIT_MS: Final = {"low": 800, "medium": 500, "auto": 500, "high": 300}
"""Milliseconds of silence that end a turn under semantic_vad here; the real waits depend on what was said."""

_KNOWN: Final = frozenset(
    {
        "audio",
        "include",
        "instructions",
        "max_output_tokens",
        "model",
        "output_modalities",
        "parallel_tool_calls",
        "prompt",
        "reasoning",
        "tool_choice",
        "tools",
        "tracing",
        "truncation",
        "type",
    }
)

_PCM: Final = {"type": "audio/pcm", "rate": 24_000}

_SERVER_VAD: Final = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}

_SEMANTIC_VAD: Final = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}


class TurnDetection(msgspec.Struct, frozen=True):
    """How the stand-in tells that somebody talks; None of it where the client takes turns by itself."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    idle_timeout_ms: Annotated[int, msgspec.Meta(gt=0)] | None = None
    create_response: bool = True
    interrupt_response: bool = True

    @property
    def silence_ms(self) -> int:
        """How long it must be silent for a turn to be over."""
        return self.silence_duration_ms if self.type == "server_vad" else _LONGEST_WAIT_MS[self.eagerness]


class _Transcription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str
    language: str | None = None
    languages: list[str] | None = None
    prompt: str | None = None
    keywords: list[str] | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class _Input(msgspec.Struct, frozen=True):
    turn_detection: TurnDetection | None
    transcription: _Transcription | None


class _Output(msgspec.Struct, frozen=True):
    voice: str | dict[str, str]
    speed: Annotated[float, msgspec.Meta(ge=0.25, le=1.5)] = 1.0


class _Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    post_instructions: Annotated[int, msgspec.Meta(ge=1, le=MOST_KEPT_TOKENS)] | None = None


class _Truncation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["retention_ratio"]
    retention_ratio: Annotated[float, msgspec.Meta(ge=0, le=1)]
    token_limits: _Limits | None = None


class _Reasoning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class _Audio(msgspec.Struct, frozen=True):
    input: _Input
    output: _Output


class _Shape(msgspec.Struct, frozen=True):
    type: Literal["realtime"]
    model: str
    output_modalities: Annotated[list[Literal["audio", "text"]], msgspec.Meta(min_length=1, max_length=1)]
    instructions: str | None
    audio: _Audio
    tools: Annotated[list[Tool], msgspec.Meta(max_length=128)] | None
    tool_choice: Literal["auto", "none", "required"] | dict[str, str] | None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1, le=4096)] | Literal["inf"] | None
    truncation: Literal["auto", "disabled"] | _Truncation | None
    reasoning: _Reasoning | None = None


class Session:
    """One session object and its rules.

    Raises:
        RefusedError: what was asked for is not a session.
    """

    def __init__(self, session_id: str, expires_at: int, asked: Any) -> None:
        self.spoke = False
        """Whether the assistant has spoken; its voice is fixed from then on."""
        facts = {"object": "realtime.session", "id": session_id, "expires_at": expires_at}
        self._view, self._shape = _changed({**_defaults(), **facts}, asked)

    @property
    def view(self) -> dict[str, Any]:
        """The whole object, as `session.created` shows it: without what opens MCP servers."""
        return copy.deepcopy({**self._view, "tools": shown(self._view["tools"])})

    @property
    def turn_detection(self) -> TurnDetection | None:
        """How turns are detected, or None when the client takes them."""
        return self._shape.audio.input.turn_detection

    @property
    def transcribes(self) -> bool:
        """Whether the client asked for the user's words."""
        return self._shape.audio.input.transcription is not None

    @property
    def tools(self) -> frozenset[str]:
        """The names of the tools that may be called."""
        if self._shape.tool_choice == "none":
            return frozenset()
        return frozenset(tool.name for tool in self._shape.tools or () if isinstance(tool, Function))

    @property
    def language(self) -> str:
        """The language to answer in: what transcription was told, else what the instructions are written in."""
        asked = self._shape.audio.input.transcription
        told = asked and (asked.language or next(iter(asked.languages or []), None))
        return str(told or ("ja" if _has_kana(self._shape.instructions or "") else "en"))[:2]

    def update(self, asked: Any) -> None:
        """Change what is present in `asked`; null and empty values clear.

        Raises:
            RefusedError: no `type`, an unknown field, a wrong value, another model, or another voice after the
                assistant has spoken.
        """
        view, shape = _changed(self._view, asked)
        if shape.model != self._shape.model:
            raise RefusedError(400, "invalid_value", "The model of a session cannot be changed.", param="session.model")
        if self.spoke and shape.audio.output.voice != self._shape.audio.output.voice:
            text = "Cannot update a conversation's voice if assistant audio is present."
            raise RefusedError(400, "cannot_update_voice", text, param="session.audio.output.voice")
        self._view, self._shape = view, shape


def _changed(view: dict[str, Any], asked: Any) -> tuple[dict[str, Any], _Shape]:
    if not isinstance(asked, dict) or "type" not in asked:
        param = "session.type"
        raise RefusedError(400, "missing_required_parameter", f"Missing required parameter: '{param}'.", param=param)
    for name in sorted(asked.keys() - _KNOWN):
        param = f"session.{name}"
        raise RefusedError(400, "unknown_parameter", f"Unknown parameter: '{param}'.", param=param)
    changed = _merged(view, asked)
    try:
        changed["audio"]["input"]["turn_detection"] = _filled(changed["audio"]["input"]["turn_detection"])
        shape = msgspec.convert(changed, _Shape)
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(400, "invalid_value", f"Invalid session: {error}", param="session") from None
    check_servers(shape.tools or [])
    _check_reasoning(shape)
    return changed, shape


def _check_reasoning(shape: _Shape) -> None:
    """Refuse reasoning to a model that has none: it came with gpt-realtime-2."""
    if shape.reasoning is not None and not shape.model.startswith("gpt-realtime-2"):
        text = f"Unsupported parameter: 'reasoning' is not supported with '{shape.model}'."
        raise RefusedError(400, "unsupported_parameter", text, param="session.reasoning")


def _filled(detection: dict[str, Any] | None) -> dict[str, Any] | None:
    if detection is None:
        return None
    defaults = _SEMANTIC_VAD if detection.get("type") == "semantic_vad" else _SERVER_VAD
    return {**defaults, **{name: value for name, value in detection.items() if name in defaults}}


def _defaults() -> dict[str, Any]:
    return {
        "type": "realtime",
        "model": DEFAULT_MODEL,
        "output_modalities": ["audio"],
        "instructions": "You are a friendly assistant. Talk quickly and stay brief.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_SERVER_VAD),
            },
            "output": {"format": dict(_PCM), "voice": DEFAULT_VOICE, "speed": 1.0},
        },
    }


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _has_kana(text: str) -> bool:
    return any("\u3041" <= letter <= "\u30ff" for letter in text)
