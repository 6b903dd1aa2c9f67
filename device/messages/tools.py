"""PURE. What a robot can do for the model: declarations of its tools, in a small closed part of JSON Schema.

The device declares, in its signed request, what it has; the cloud chooses by name what the model may call and binds it
into the secret. The schema is typed here, not passed through, so that nothing gets into a session that was not checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from device.errors import MalformedMessageError
from device.messages.wire import Message, encode

MOST_TOOLS: Final = 32
"""Tools of one robot; a model chooses badly among more."""

MOST_PARAMETERS: Final = 8

LONGEST_DECLARATIONS: Final = 16_384
"""Bytes of all declarations of one robot, about 4,000 tokens, which every answer is billed for again."""

ANY: Final = "*"
"""In the cloud's list of allowed tools: whatever the robot has."""

BUILT_IN: Final = (
    "volume",
    "light",
    "mute",
    "broadcast",
    "end_conversation",
    "current_time",
    "remember",
    "recall",
    "tell_operator",
    "keep_record",
)
"""The tools that every robot has for the model, `keep_record` only where records are kept; the cloud allows them unless it
is told otherwise."""

LOOK_UP: Final = "look_up"
"""The tool that searches the texts of a place; every robot has it, and a profile that has such texts allows it."""

ToolName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
"""The service takes `[a-zA-Z0-9_-]`, 1 to 64 characters; Python's own names are a part of that."""

Explanation = Annotated[str, Meta(max_length=500)]
Choice = Annotated[str, Meta(max_length=64)]
Choices = Annotated[list[Choice], Meta(min_length=1, max_length=32)]


class _Schema(Message, frozen=True, tag_field="type"):
    """Base of what one value may be."""

    description: Explanation = ""


class TextSchema(_Schema, frozen=True, tag="string"):
    """A text, or one of a few."""

    enum: Choices | None = None


class IntegerSchema(_Schema, frozen=True, tag="integer"):
    """A whole number, between two ends where they are given."""

    minimum: int | None = None
    maximum: int | None = None


class NumberSchema(_Schema, frozen=True, tag="number"):
    """A number, between two ends where they are given."""

    minimum: float | None = None
    maximum: float | None = None


class FlagSchema(_Schema, frozen=True, tag="boolean"):
    """Yes or no."""


Plain = TextSchema | IntegerSchema | NumberSchema | FlagSchema


class ListSchema(_Schema, frozen=True, kw_only=True, tag="array"):
    """Any number of values of one kind."""

    items: Plain


ValueSchema = TextSchema | IntegerSchema | NumberSchema | FlagSchema | ListSchema


class ToolDeclaration(Message, frozen=True):
    """One tool as the model is told of it."""

    name: ToolName
    description: Annotated[str, Meta(min_length=1, max_length=1000)]
    parameters: Annotated[dict[ToolName, ValueSchema], Meta(max_length=MOST_PARAMETERS)] = {}
    required: Annotated[list[ToolName], Meta(max_length=MOST_PARAMETERS)] = []


def check_declarations(tools: Sequence[ToolDeclaration]) -> None:
    """Check what the fields alone cannot say.

    Raises:
        MalformedMessageError: too many, too long together, two of one name, or a parameter needed that is not declared.
    """
    if len(tools) > MOST_TOOLS:
        raise MalformedMessageError(f"{len(tools)} tools, over {MOST_TOOLS}")
    if (size := len(encode(tools))) > LONGEST_DECLARATIONS:
        raise MalformedMessageError(f"the declarations of all tools have {size} bytes, over {LONGEST_DECLARATIONS}")
    names = [tool.name for tool in tools]
    if len(set(names)) < len(names):
        raise MalformedMessageError(f"two tools of one name: {next(n for n in names if names.count(n) > 1)}")
    for tool in tools:
        if unknown := set(tool.required) - tool.parameters.keys():
            raise MalformedMessageError(f"{tool.name} needs what it does not declare: {', '.join(sorted(unknown))}")


def allowed(tools: Sequence[ToolDeclaration], names: Sequence[str]) -> list[ToolDeclaration]:
    """Return the tools whose names are among `names`, in their order; all of them but `LOOK_UP` where `ANY` is."""
    return [tool for tool in tools if tool.name in names or (ANY in names and tool.name != LOOK_UP)]


def as_function(tool: ToolDeclaration) -> dict[str, Any]:
    """Return a declaration as the Realtime service takes it in the `tools` of a session."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": {
            "type": "object",
            "properties": {name: msgspec.to_builtins(schema) for name, schema in tool.parameters.items()},
            "required": list(tool.required),
            "additionalProperties": False,
        },
    }
