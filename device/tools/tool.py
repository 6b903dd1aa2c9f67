"""PURE. One tool: a function, what the model is told of it, and how long a call of it may take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, overload

import msgspec

from device.errors import MessageError, ToolError
from device.messages.tools import ToolDeclaration, check_declarations
from device.messages.wire import decode, encode
from device.tools.docstring import taken_apart
from device.tools.schema import UnsayableError, arguments, schemas
from device.tools.settings import LONGEST_SECONDS

F = TypeVar("F", bound=Callable[..., Any])

MARK: Final = "kaiwa_tool"
"""The attribute by which a marked function is known."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What `@tool` was told."""

    seconds: float | None = None
    user_only: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that can be called."""

    declaration: ToolDeclaration
    function: Callable[..., Any]
    arguments: type[msgspec.Struct]
    """What a call's arguments must decode to."""
    seconds: float
    """How long a call may take."""
    user_only: bool = False
    """Only for operators; the model never hears of it."""
    in_loop: bool = False
    """Whether it is called in the event loop: only what the robot brings along, which never holds the loop up. It may return
    a future of that loop, which is waited for."""
    parting: bool = False
    """Whether the conversation ends with it, once what is being said has been heard."""

    @property
    def name(self) -> str:
        """The name by which it is called."""
        return self.declaration.name


@overload
def tool(function: F) -> F: ...


@overload
def tool(*, seconds: float | None = None, user_only: bool = False) -> Callable[[F], F]: ...


def tool(function: F | None = None, *, seconds: float | None = None, user_only: bool = False) -> F | Callable[[F], F]:
    """Mark a function of a file in the tools' folder as a tool; it stays what it was.

    Args:
        function: a plain function with type hints and a docstring.
        seconds: how long a call may take, 20 at most; `[tools] seconds` of the settings when not given.
        user_only: whether only operators may call it, and not the model.
    """

    def marked(function: F) -> F:
        setattr(function, MARK, Marked(seconds, user_only))
        return function

    return marked if function is None else marked(function)


def made(
    function: Callable[..., Any],
    *,
    seconds: float,
    user_only: bool = False,
    in_loop: bool = False,
    parting: bool = False,
    name: str = "",
    description: str = "",
) -> Tool:
    """Return the tool that a function makes; `name` and `description` stand for its own.

    Raises:
        ToolError: it cannot be said to a model; with file and line.
    """
    if not 0 < seconds <= LONGEST_SECONDS:
        raise refused(function, f"may take more than 0 and at most {LONGEST_SECONDS:g} s, not {seconds:g}")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise refused(function, "must be a plain function; it runs in a thread of its own and may wait there")
    told = taken_apart(description or function.__doc__ or "")
    if not told.description:
        raise refused(function, "needs a docstring: by it the model decides when to call it")
    try:
        parameters, required = schemas(function, told.arguments)
        declaration = _declared(
            ToolDeclaration(
                name=name or function.__name__,
                description=told.description,
                parameters=parameters,
                required=required,
            )
        )
        fitting = arguments(function)
    except (UnsayableError, MessageError) as error:
        raise refused(function, str(error)) from None
    return Tool(declaration, function, fitting, seconds, user_only, in_loop, parting)


def refused(function: Callable[..., Any], reason: str) -> ToolError:
    """Return the error that says why a function is no tool, and where it stands."""
    code = inspect.unwrap(function).__code__
    return ToolError(code.co_filename, reason, line=code.co_firstlineno, key=function.__name__)


def _declared(declaration: ToolDeclaration) -> ToolDeclaration:
    """Return the declaration as the cloud will read it, so that what it would not take is found here."""
    read = decode(encode(declaration), ToolDeclaration)
    check_declarations([read])
    return read
