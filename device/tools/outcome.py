"""PURE. What comes of a call: JSON that the model can act on, whether it went well or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from device.tools.tool import Tool

LONGEST: Final = 8_000
"""Characters of an outcome; a longer one would be billed for again with every answer."""

LONGEST_ERROR: Final = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is told of one call."""

    ok: bool
    text: str
    """JSON: `{"ok": true, "result": …}` or `{"ok": false, "error": …}`."""
    parting: bool = False
    """Whether the conversation ends with it."""


def failure(error: str) -> Outcome:
    """Return the outcome of a call that failed; `error` is for the model to read."""
    text = error if len(error) <= LONGEST_ERROR else f"{error[:LONGEST_ERROR]}…"
    return Outcome(ok=False, text=msgspec.json.encode({"ok": False, "error": text}).decode())


def success(tool: Tool, value: Any) -> Outcome:
    """Return the outcome of a call that returned `value`; a failure when the model cannot be told of it."""
    try:
        text = msgspec.json.encode({"ok": True, **({} if value is None else {"result": value})}).decode()
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        return failure(f"{tool.name} did its work, but returned a {type(value).__name__}, which is no JSON")
    if len(text) > LONGEST:
        return failure(f"{tool.name} did its work, but its answer is too long: {len(text)} characters, over {LONGEST}")
    return Outcome(ok=True, text=text, parting=tool.parting)


def fitted(tool: Tool, arguments: str) -> dict[str, Any]:
    """Return the arguments of a call as the function takes them.

    Raises:
        ValueError: they do not fit; the text says where and how, for the model to read.
    """
    try:
        read = msgspec.json.decode(arguments or "{}", type=tool.arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(f"the arguments of {tool.name} do not fit: {error}") from None
    return {field: getattr(read, field) for field in tool.arguments.__struct_fields__}
