"""PURE. A YAML text as plain values, with the line at which each of them stands."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec
import yaml

from device.errors import SettingsError
from device.messages.settings import suggestion

S = TypeVar("S", bound=msgspec.Struct)

Place = tuple[str | int, ...]
"""The keys and numbers that lead to a value."""

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def read_yaml(text: str, path: str, kind: type[S]) -> S:
    """Return the struct of type `kind` in a YAML text; `path` is for messages only.

    Raises:
        SettingsError: not YAML, an alias, a key twice, an unknown key, or a wrong value; with its line.
    """
    lines: dict[Place, int] = {(): 1}
    try:
        return msgspec.convert(_Reader(path, lines).value(_composed(text, path), ()), type=kind)
    except msgspec.ValidationError as error:
        raise _located(path, lines, kind, str(error)) from None
    except RecursionError:
        raise SettingsError(path, "nested too deeply") from None


def line_of(text: str, path: str, place: Place) -> int | None:
    """Return the line of the value at `place` in a YAML text that could be read, or of what holds it."""
    lines: dict[Place, int] = {(): 1}
    _Reader(path, lines).value(_composed(text, path), ())
    return _nearest(lines, place)


def _composed(text: str, path: str) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(path, error) from None
    if node is None:
        raise SettingsError(path, "there is nothing in it")
    return node


def _not_yaml(path: str, error: yaml.YAMLError) -> SettingsError:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return SettingsError(path, f"not YAML: {problem or error}", line=None if mark is None else mark.line + 1)


class _Reader:
    """Makes values of nodes, and writes down where they stand."""

    def __init__(self, path: str, lines: dict[Place, int]) -> None:
        self._path, self._lines = path, lines
        self._seen: set[int] = set()
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node, place: Place) -> Any:
        if id(node) in self._seen:
            raise SettingsError(self._path, "aliases are not understood here", line=node.start_mark.line + 1)
        self._seen.add(id(node))
        self._lines.setdefault(place, node.start_mark.line + 1)
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place)
            case yaml.SequenceNode():
                return [self.value(item, (*place, number)) for number, item in enumerate(node.value)]
            case _:
                return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in found:
                raise SettingsError(self._path, "this key is here twice", line=line, key=name)
            self._lines[*place, name] = line
            found[name] = self.value(value, (*place, name))
        return found

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise SettingsError(self._path, f"not YAML: {error}", line=node.start_mark.line + 1) from None


def _located(path: str, lines: dict[Place, int], kind: type[msgspec.Struct], message: str) -> SettingsError:
    reason, _, where = message.partition(" - at `$")
    place: Place = tuple(key or int(number) for key, number in _STEP.findall(where.rstrip("`")))
    keys = [key for key in place if isinstance(key, str)]
    if unknown := re.search(r"unknown field `(.+?)`", reason):
        place, keys = (*place, unknown[1]), [*keys, unknown[1]]
        reason = "unknown key" + suggestion(kind, keys)
    elif missing := re.search(r"missing required field `(.+?)`", reason):
        keys.append(missing[1])
        reason = "this key is needed"
    return SettingsError(path, reason, line=_nearest(lines, place), key=".".join(keys) or None)


def _nearest(lines: dict[Place, int], place: Place) -> int | None:
    return next((lines[place[:length]] for length in range(len(place), -1, -1) if place[:length] in lines), None)
