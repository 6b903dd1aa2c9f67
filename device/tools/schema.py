"""PURE. From type hints to the schema that the model is given, and to the struct that its arguments must fit.

What can be said: `str`, `int`, `float`, `bool`, `Literal` of texts, lists of these, each of them optional, and numbers
between two ends by `Annotated[int, Meta(ge=0, le=100)]` (`from msgspec import Meta`). All else is refused, because a
model that is told less than the function wants would call it wrongly.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from device.messages.tools import (
    FlagSchema,
    IntegerSchema,
    ListSchema,
    NumberSchema,
    Plain,
    TextSchema,
    ValueSchema,
)

SAYABLE: Final = "str, int, float, bool, Literal of texts, lists of these, and any of them or None"

_NUMBERS: Final[Mapping[type, type[IntegerSchema | NumberSchema]]] = {int: IntegerSchema, float: NumberSchema}
_FORBIDDEN: Final = {
    inspect.Parameter.VAR_POSITIONAL: "`*{}` cannot be said to a model",
    inspect.Parameter.VAR_KEYWORD: "`**{}` cannot be said to a model",
    inspect.Parameter.POSITIONAL_ONLY: "`{}` must be callable by its name",
}


class UnsayableError(ValueError):
    """A type hint that has no place in a schema; the text says which and what could stand there."""


def schemas(function: Callable[..., Any], explained: Mapping[str, str]) -> tuple[dict[str, ValueSchema], list[str]]:
    """Return the schema of every parameter, described by `explained`, and the names of those that are needed.

    Raises:
        UnsayableError: a parameter cannot be said, or what is explained is none.
    """
    found, needed = {}, []
    for name, hint, default in _parameters(function):
        try:
            found[name] = msgspec.structs.replace(_schema(_without_none(hint)), description=explained.get(name, ""))
        except UnsayableError as error:
            raise UnsayableError(f"`{name}`: {error}") from None
        if default is inspect.Parameter.empty and not _takes_none(hint):
            needed.append(name)
    if unknown := explained.keys() - found.keys():
        raise UnsayableError(f"the docstring explains `{min(unknown)}`, which is no parameter")
    return found, needed


def arguments(function: Callable[..., Any]) -> type[msgspec.Struct]:
    """Return a struct with a field for each parameter, which decodes what a model sends and refuses what does not fit."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name, hint, default in _parameters(function):
        if default is not inspect.Parameter.empty:
            fields.append((name, hint, default))
        else:
            fields.append((name, hint, None) if _takes_none(hint) else (name, hint))
    return msgspec.defstruct("Arguments", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


def _parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise UnsayableError(f"a type hint cannot be understood: {error}") from None
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in _FORBIDDEN:
            raise UnsayableError(_FORBIDDEN[parameter.kind].format(name))
        if name not in hints:
            raise UnsayableError(f"`{name}` has no type hint; it may be {SAYABLE}")
        found.append((name, hints[name], parameter.default))
    return found


def _schema(hint: Any) -> ValueSchema:
    if get_origin(hint) is list:
        return ListSchema(items=_plain(get_args(hint)[0]))
    return _plain(hint)


def _plain(hint: Any) -> Plain:
    origin = get_origin(hint)
    if hint is str:
        return TextSchema()
    if hint is bool:
        return FlagSchema()
    if hint in _NUMBERS:
        return _NUMBERS[hint]()
    if origin is Literal and all(isinstance(choice, str) for choice in get_args(hint)):
        return TextSchema(enum=list(get_args(hint)))
    if origin is Annotated:
        return _bounded(*get_args(hint))
    raise UnsayableError(f"{_shown(hint)} cannot be said to a model; it may be {SAYABLE}")


def _bounded(hint: Any, *marks: Any) -> Plain:
    """Return the schema of a number between two ends; other marks would be checked and never told."""
    ends: dict[str, Any] = {}
    for mark in marks:
        told = isinstance(mark, Meta) and mark == Meta(ge=mark.ge, le=mark.le)
        if not told or hint not in _NUMBERS:
            raise UnsayableError("of Annotated only Meta(ge=..., le=...) of a number can be said to a model")
        ends |= {"minimum": mark.ge, "maximum": mark.le}
    return _NUMBERS[hint](**ends)


def _takes_none(hint: Any) -> bool:
    return get_origin(hint) in {Union, types.UnionType} and type(None) in get_args(hint)


def _without_none(hint: Any) -> Any:
    arms = [arm for arm in get_args(hint) if arm is not type(None)]
    return arms[0] if _takes_none(hint) and len(arms) == 1 else hint


def _shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
