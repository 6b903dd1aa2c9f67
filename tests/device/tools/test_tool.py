"""What a function becomes for the model, and which functions cannot become anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal, Optional

import pytest
from msgspec import Meta

from device.errors import ToolError
from device.messages.tools import as_function
from device.tools import tool
from device.tools.outcome import failure, fitted, success
from device.tools.tool import MARK, Marked, Tool, made


def ring(
    times: Annotated[int, Meta(ge=1, le=3)],
    tune: Literal["high", "low"] = "high",
    volume: float = 0.5,
    names: list[str] | None = None,
    quietly: Optional[bool] = None,  # noqa: UP045 - makers write it so
) -> str:
    """Ring the bell.

    Args:
        times: how often.
    """
    return f"{times} {tune} {volume} {names} {quietly}"


RING = made(ring, seconds=2.0)


def test_hints_and_docstring_become_a_schema() -> None:
    assert as_function(RING.declaration) == {
        "type": "function",
        "name": "ring",
        "description": "Ring the bell.",
        "parameters": {
            "type": "object",
            "properties": {
                "times": {"type": "integer", "minimum": 1, "maximum": 3, "description": "how often."},
                "tune": {"type": "string", "enum": ["high", "low"]},
                "volume": {"type": "number"},
                "names": {"type": "array", "items": {"type": "string"}},
                "quietly": {"type": "boolean"},
            },
            "required": ["times"],
            "additionalProperties": False,
        },
    }


def test_arguments_that_fit_are_what_the_function_is_called_with() -> None:
    assert ring(**fitted(RING, '{"times": 2, "volume": 1, "names": ["a"]}')) == "2 high 1.0 ['a'] None"
    assert ring(**fitted(RING, '{"times": 1, "quietly": null, "tune": "low"}')) == "1 low 0.5 None None"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("", "missing required field `times`"),
        ("{", "do not fit"),
        ("[1]", "Expected `object`"),
        ('{"times": "2"}', r"Expected `int`, got `str` - at `\$.times`"),
        ('{"times": 9}', r"Expected `int` <= 3 - at `\$.times`"),
        ('{"times": 1, "tune": "flat"}', "Invalid enum value 'flat'"),
        ('{"times": 1, "speed": 2}', "unknown field `speed`"),
        ('{"times": true}', "Expected `int`, got `bool`"),
        ('{"times": 1, "names": ["a", 2]}', "Expected `str`, got `int`"),
    ],
)
def test_arguments_that_do_not_fit_are_told_where(arguments: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        fitted(RING, arguments)


def hintless(times) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - what is tested
    """Ring."""


def shapeless(options: dict[str, int]) -> None:
    """Ring."""


def two_kinds(times: int | str) -> None:
    """Ring."""


def numbers(times: Literal[1, 2]) -> None:
    """Ring."""


def nested(times: list[list[int]]) -> None:
    """Ring."""


def pattern(name: Annotated[str, Meta(pattern="a+")]) -> None:
    """Ring."""


def exclusive(times: Annotated[int, Meta(gt=0)]) -> None:
    """Ring."""


def greedy(*times: int) -> None:
    """Ring."""


def open_ended(**times: int) -> None:
    """Ring."""


def positional(times: int, /) -> None:
    """Ring."""


def silent(times: int) -> None: ...


def mistaken() -> None:
    """Ring.

    Args:
        times: how often.
    """


def shouting(Times: int) -> None:  # noqa: N803 - what is tested
    """Ring."""


async def waiting() -> None:
    """Ring."""


async def streaming() -> AsyncIterator[int]:
    """Ring."""
    yield 1


def undefined(times: Nothing) -> None:  # type: ignore[name-defined]  # noqa: F821 - what is tested
    """Ring."""


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (hintless, "`times` has no type hint"),
    (shapeless, r"dict\[str, int\] cannot be said to a model; it may be str"),
    (two_kinds, r"int \| str cannot be said"),
    (numbers, r"Literal\[1, 2\] cannot be said"),
    (nested, r"list\[int\] cannot be said"),
    (pattern, "only Meta"),
    (exclusive, "only Meta"),
    (greedy, r"`\*times` cannot be said"),
    (open_ended, r"`\*\*times` cannot be said"),
    (positional, "`times` must be callable by its name"),
    (silent, "needs a docstring"),
    (mistaken, "explains `times`, which is no parameter"),
    (shouting, "Expected `str` matching regex"),
    (waiting, "must be a plain function"),
    (undefined, "cannot be understood: name 'Nothing'"),
]


@pytest.mark.parametrize(("function", "why"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_cannot_be_said_is_refused_with_its_place(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(ToolError, match=why) as refused:
        made(function, seconds=1.0)
    assert refused.value.path == __file__
    assert refused.value.line == function.__code__.co_firstlineno
    assert refused.value.key == function.__name__


def test_a_call_may_not_take_longer_than_a_visitor_waits() -> None:
    with pytest.raises(ToolError, match="at most 20 s, not 21"):
        made(ring, seconds=21.0)


def test_a_mark_leaves_the_function_what_it_was() -> None:
    assert tool(ring) is ring
    assert getattr(ring, MARK) == Marked()
    assert tool(seconds=3.0, user_only=True)(ring) is ring
    assert getattr(ring, MARK) == Marked(3.0, user_only=True)
    assert ring(1).startswith("1")


def telling(value: Any) -> tuple[bool, str]:
    outcome = success(RING, value)
    return outcome.ok, outcome.text


def test_an_outcome_is_json_whatever_was_returned() -> None:
    assert telling(None) == (True, '{"ok":true}')
    assert telling({"a": [1, "é"]}) == (True, '{"ok":true,"result":{"a":[1,"é"]}}')
    assert telling(object()) == (
        False,
        '{"ok":false,"error":"ring did its work, but returned a object, which is no JSON"}',
    )
    assert telling("x" * 9000)[0] is False
    circle: list[Any] = []
    circle.append(circle)
    assert telling(circle)[0] is False


def test_a_long_error_is_cut() -> None:
    assert len(failure("x" * 9000).text) < 400


def test_the_name_is_the_functions() -> None:
    assert isinstance(RING, Tool)
    assert RING.name == "ring"
