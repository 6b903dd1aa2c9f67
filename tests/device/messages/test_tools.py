"""Declarations of tools: what gets over the wire, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from device.errors import MalformedMessageError
from device.messages.tools import (
    BUILT_IN,
    LONGEST_DECLARATIONS,
    LOOK_UP,
    MOST_TOOLS,
    FlagSchema,
    IntegerSchema,
    ListSchema,
    TextSchema,
    ToolDeclaration,
    allowed,
    as_function,
    check_declarations,
)
from device.messages.wire import decode, encode

LAMP = ToolDeclaration(
    name="lamp",
    description="A lamp.",
    parameters={
        "on": FlagSchema(description="on or off"),
        "percent": IntegerSchema(minimum=0, maximum=100),
        "colours": ListSchema(items=TextSchema(enum=["red", "blue"])),
    },
    required=["on"],
)


def named(name: str, **more: Any) -> ToolDeclaration:
    return ToolDeclaration(name=name, description="Does something.", **more)


def test_a_declaration_arrives_as_it_was_sent() -> None:
    assert decode(encode(LAMP), ToolDeclaration) == LAMP


@pytest.mark.parametrize(
    "text",
    [
        b'{"name": "a b", "description": "x"}',
        b'{"name": "lamp\\n", "description": "x"}',
        b'{"name": "_lamp", "description": "x"}',
        b'{"name": "' + b"a" * 65 + b'", "description": "x"}',
        b'{"name": "", "description": "x"}',
        b'{"name": "a", "description": ""}',
        b'{"name": "a", "description": "x", "strict": true}',
        b'{"name": "a", "description": "x", "parameters": {"y": {"type": "object"}}}',
        b'{"name": "a", "description": "x", "parameters": {"y": {"type": "string", "pattern": ".*"}}}',
        b'{"name": "a", "description": "x", "parameters": {"y": {"type": "array"}}}',
        b'{"name": "a", "description": "x", "parameters": {"y": {"type": "string", "enum": []}}}',
        b'{"name": "a", "description": "' + b"x" * 1001 + b'"}',
    ],
)
def test_what_is_not_said_in_this_schema_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(text, ToolDeclaration)


def test_the_service_is_given_a_closed_object() -> None:
    assert as_function(LAMP) == {
        "type": "function",
        "name": "lamp",
        "description": "A lamp.",
        "parameters": {
            "type": "object",
            "properties": {
                "on": {"type": "boolean", "description": "on or off"},
                "percent": {"type": "integer", "minimum": 0, "maximum": 100},
                "colours": {"type": "array", "items": {"type": "string", "enum": ["red", "blue"]}},
            },
            "required": ["on"],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ([named(f"tool_{number}") for number in range(MOST_TOOLS + 1)], "33 tools, over 32"),
        ([named("one"), named("two"), named("one")], "two tools of one name: one"),
        ([named("two"), named("one"), named("one")], "two tools of one name: one"),
        ([named("one"), named("two", required=["b", "a"])], "two needs what it does not declare: a, b"),
        ([named("one", required=["what"])], "one needs what it does not declare: what"),
        (
            [
                ToolDeclaration(name=f"tool_{n}", description="x" * 1000)
                for n in range(LONGEST_DECLARATIONS // 1000 + 1)
            ],
            f"over {LONGEST_DECLARATIONS}",
        ),
    ],
)
def test_what_no_session_could_hold_is_refused(tools: list[ToolDeclaration], why: str) -> None:
    with pytest.raises(MalformedMessageError, match=why):
        check_declarations(tools)


def test_the_cloud_chooses_by_name() -> None:
    tools = [named("lamp"), named("siren"), named("volume")]
    assert [tool.name for tool in allowed(tools, [*BUILT_IN, "lamp"])] == ["lamp", "volume"]
    assert allowed(tools, ["*"]) == tools
    assert allowed(tools, []) == []


def test_what_is_just_within_the_bounds_is_taken() -> None:
    check_declarations([named(f"tool_{number}") for number in range(MOST_TOOLS)])
    check_declarations([named("a" * 64, parameters={"x": FlagSchema()}, required=["x"])])
    longest = b'{"name": "a", "description": "' + b"x" * 1000 + b'"}'
    assert len(decode(longest, ToolDeclaration).description) == 1000
    choices = b'{"name": "a", "description": "x", "parameters": {"y": {"type": "string", "enum": [%s]}}}'
    assert list(decode(choices % b",".join([b'"z"'] * 32), ToolDeclaration).parameters) == ["y"]
    assert list(decode(choices % (b'"' + b"z" * 64 + b'"'), ToolDeclaration).parameters) == ["y"]
    for odd in (b",".join([b'"z"'] * 33), b'"' + b"z" * 65 + b'"'):
        with pytest.raises(MalformedMessageError):
            decode(choices % odd, ToolDeclaration)


@pytest.mark.parametrize(("count", "taken"), [(8, True), (9, False)])
def test_a_tool_has_eight_parameters_at_most(count: int, taken: bool) -> None:
    fields = ",".join(f'"p{number}":{{"type":"boolean"}}' for number in range(count))
    data = f'{{"name":"a","description":"x","parameters":{{{fields}}}}}'.encode()
    if taken:
        assert len(decode(data, ToolDeclaration).parameters) == count
    else:
        with pytest.raises(MalformedMessageError):
            decode(data, ToolDeclaration)


def test_all_declarations_together_may_have_just_so_many_bytes() -> None:
    def of(size: int) -> list[ToolDeclaration]:
        tools = [ToolDeclaration(name=f"t{number:02}", description="x" * 990) for number in range(15)]
        rest = size - len(encode([*tools, ToolDeclaration(name="last", description="")]))
        return [*tools, ToolDeclaration(name="last", description="x" * rest)]

    assert len(encode(of(LONGEST_DECLARATIONS))) == LONGEST_DECLARATIONS
    check_declarations(of(LONGEST_DECLARATIONS))
    with pytest.raises(MalformedMessageError, match=f"have {LONGEST_DECLARATIONS + 1} bytes"):
        check_declarations(of(LONGEST_DECLARATIONS + 1))


def test_texts_of_the_place_are_looked_up_only_where_a_profile_says_so() -> None:
    tools = [named("lamp"), named(LOOK_UP)]
    assert allowed(tools, ["*"]) == [tools[0]]
    assert allowed(tools, ["*", LOOK_UP]) == tools
    assert allowed(tools, [LOOK_UP]) == [tools[1]]
    assert LOOK_UP not in BUILT_IN
