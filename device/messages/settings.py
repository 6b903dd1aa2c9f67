"""PURE. Strict settings: a TOML text decoded into a struct, with the file, line and key of every mistake."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeVar, get_args

import msgspec

from device.errors import SettingsError
from device.messages.secret import decode_secret

S = TypeVar("S", bound=msgspec.Struct)

Table = Mapping[str, Any]
"""A TOML table: of values, and of tables."""

_LONG_TEXT: Final = re.compile(r"""\"{3}(?:\\.|[^\\])*?\"{3}|'{3}.*?'{3}""", re.DOTALL)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every table in a settings file; an unknown key is an error."""


def read_settings(text: str, path: str, kind: type[S], beneath: Table | None = None) -> S:
    """Return the settings of type `kind` in the TOML `text`; `path` is for messages only.

    What the text does not say is taken from the table `beneath`, then from the defaults.

    Raises:
        SettingsError: not TOML, an unknown key (with the nearest known one), or a value of the wrong type or range.
    """
    try:
        return msgspec.convert(laid_over(_table(text, path), beneath or {}), type=kind, dec_hook=decode_secret)
    except msgspec.ValidationError as error:
        raise _located(text, path, kind, str(error)) from None
    except RecursionError:
        raise SettingsError(path, "not a settings file: nested too deeply") from None


def _table(text: str, path: str) -> Table:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also of a number with thousands of digits, which is no TOMLDecodeError
        found = re.search(r"at line (\d+)", str(error))
        raise SettingsError(path, f"not TOML: {error}", line=int(found[1]) if found else None) from None


def laid_over(table: Table, beneath: Table) -> dict[str, Any]:
    """Return `table` with what it does not say taken from `beneath`, table by table."""
    merged = dict(beneath)
    for key, value in table.items():
        below = beneath.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = laid_over(value, below) if both else value  # type: ignore[arg-type]  # both are tables
    return merged


def flattened(table: Table, prefix: str = "") -> Iterator[str]:
    """Yield the whole key of every value in `table`."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def mistaken(text: str, path: str, reason: str, *keys: str, number: int = 0) -> SettingsError:
    """Return the error that says what is wrong with the value at `keys`, and in which line of `text` it stands.

    `number` tells which of several tables of one name is meant, from 0.
    """
    return SettingsError(path, reason, line=_line_of(text, list(keys), [number] * len(keys)), key=".".join(keys))


def _located(text: str, path: str, kind: type[msgspec.Struct], message: str) -> SettingsError:
    reason, _, where = message.partition(" - at `$")
    place = where.rstrip("`")
    steps = [step for step in re.sub(r"\[\D[^\]]*\]", "", place).split(".") if step]  # [...] is a key that is not told
    keys = [step.partition("[")[0] for step in steps]
    numbers = [int(found[1]) if (found := re.search(r"\[(\d+)\]", step)) else 0 for step in steps]
    if unknown := re.search(r"unknown field `(.+?)`", reason):
        keys.append(unknown[1])
        reason = "unknown key" + suggestion(kind, keys)
    elif missing := re.search(r"missing required field `(.+?)`", reason):
        keys.append(missing[1])
        reason = "this key is needed"
    return SettingsError(path, reason, line=_line_of(text, keys, numbers), key=".".join(keys) or None)


def suggestion(kind: Any, keys: list[str]) -> str:
    """Return what to say after "unknown key" of the last of `keys`, which lead there from the struct `kind`."""
    for key in keys[:-1]:
        kind = _struct_in(next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == key), kind))
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    near = get_close_matches(keys[-1], known, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known here: {', '.join(known)}"


def _struct_in(kind: Any) -> Any:
    """Return the struct that a type is or holds, as a list, a tuple or a union of it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for arm in get_args(kind) if (found := _struct_in(arm)) is not None), None)


def _line_of(text: str, keys: list[str], numbers: list[int]) -> int | None:
    """Return the line at which `keys` stand, or what they are in; of several tables of one name, the one that is meant.

    `numbers` tells for each key which of them that is, from 0.
    """
    places = [*_places(text)]
    for length, number in enumerate(numbers, start=1):
        headers = [line for line, place, several in places if several and place == keys[:length]]
        begin, *others = headers[min(number, len(headers) - 1) :] or [0]
        end = min(others, default=math.inf)
        places = [place for place in places if begin <= place[0] < end]
    for length in range(len(keys), 0, -1):
        found = [line for line, place, _ in places if place[:length] == keys[:length]]
        if found:
            return found[0]
    return None


def _places(text: str) -> Iterator[tuple[int, list[str], bool]]:
    """Yield the number of each line that begins a table or assigns a key, the keys that lead there, and whether of `[[…]]`."""
    table: list[str] = []
    for number, line in enumerate(_lines(text), start=1):
        if header := re.match(r"\s*(\[+)\s*([^\]]+?)\s*\]+", line):
            table = [part.strip().strip('"') for part in header[2].split(".")]
            yield number, table, header[1] == "[["
        elif assignment := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
            yield number, [*table, *assignment[1].split(".")], False


def _lines(text: str) -> list[str]:
    """Return the lines of a TOML text; what stands in a text of several lines is left out, for it is neither table nor key."""
    return _LONG_TEXT.sub(lambda long: '""' + "\n" * long[0].count("\n"), text).split("\n")
