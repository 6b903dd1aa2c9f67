"""PURE. Strict settings: a TOML text decoded into a struct, with the file, line and key of every mistake."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from device.errors import SettingsError
from device.messages.secret import decode_secret

S = TypeVar("S", bound=msgspec.Struct)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every table in a settings file; an unknown key is an error."""


def read_settings(text: str, path: str, kind: type[S]) -> S:
    """Return the settings of type `kind` in the TOML `text`; `path` is for messages only.

    Raises:
        SettingsError: not TOML, an unknown key (with the nearest known one), or a value of the wrong type or range.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise SettingsError(path, f"not TOML: {error}", line=int(found[1]) if found else None) from None
    try:
        return msgspec.convert(table, type=kind, dec_hook=decode_secret)
    except msgspec.ValidationError as error:
        raise _located(text, path, kind, str(error)) from None


def _located(text: str, path: str, kind: type[msgspec.Struct], message: str) -> SettingsError:
    reason, _, where = message.partition(" - at `$")
    keys = [key for key in where.rstrip("`").split(".") if key]
    unknown = re.search(r"unknown field `(.+?)`", reason)
    if unknown:
        keys.append(unknown[1])
        reason = "unknown key" + _suggestion(kind, keys)
    return SettingsError(path, reason, line=_line_of(text, keys), key=".".join(keys) or None)


def _suggestion(kind: Any, keys: list[str]) -> str:
    for key in keys[:-1]:
        kind = _struct_in(next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == key), kind))
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    near = get_close_matches(keys[-1], known, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known here: {', '.join(known)}"


def _struct_in(kind: Any) -> Any:
    arms = getattr(kind, "__args__", (kind,))
    return next((arm for arm in arms if isinstance(arm, type) and issubclass(arm, msgspec.Struct)), kind)


def _line_of(text: str, keys: list[str]) -> int | None:
    if not keys:
        return None
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if header:
            table = [part.strip().strip('"') for part in header[1].split(".")]
            if table == keys:
                return number
        assignment = re.match(r"\s*\"?([\w.-]+)\"?\s*=", line)
        if assignment and [*table, *assignment[1].split(".")] == keys:
            return number
    return None
