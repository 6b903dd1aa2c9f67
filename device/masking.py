"""PURE. An event of the data channel as it may be shown: whole, but without secrets, and not too long."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

MASK: Final = "***"

_SECRET_KEYS: Final = frozenset(
    {"access_token", "api_key", "authorization", "client_secret", "headers", "password", "secret", "token"}
)
"""Whatever stands under one of these is masked; `headers` and `authorization` are those of an MCP server."""

_SECRET_TEXT: Final = re.compile(r"\b(?:ek|sk|rk)[-_][A-Za-z0-9_-]{6,}|\bBearer\s+[^\s\"]+", re.IGNORECASE)
"""Keys of the service as they look, wherever they stand."""


def shown(data: str | bytes, longest: int) -> tuple[str, str, bool]:
    """Return the name of an event, its JSON in at most `longest` bytes, and whether its end is missing."""
    try:
        event = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "malformed", *_cut(msgspec.json.encode(masked_text(_text(data))), longest)
    name = str(event.get("type", "unknown")) if isinstance(event, dict) else "unknown"
    return name[:100], *_cut(msgspec.json.encode(_masked(event)), longest)


def masked_text(text: str) -> str:
    """Return `text` without the keys in it."""
    return _SECRET_TEXT.sub(MASK, text)


def _text(data: str | bytes) -> str:
    return data if isinstance(data, str) else data.decode(errors="replace")


def _masked(value: Any) -> Any:
    match value:
        case dict():
            return {key: MASK if key.lower() in _SECRET_KEYS else _masked(inner) for key, inner in value.items()}
        case list():
            return [_masked(inner) for inner in value]
        case str():
            return masked_text(value)
        case _:
            return value


def _cut(body: bytes, longest: int) -> tuple[str, bool]:
    return body[:longest].decode(errors="ignore"), len(body) > longest
