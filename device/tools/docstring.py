"""PURE. A docstring taken apart: what a function is for, and what each argument means (Google's style)."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Final

_SECTION: Final = re.compile(r"^(Args|Arguments|Returns|Raises|Yields|Example|Examples|Note|Notes):\s*$")
_ARGUMENT: Final = re.compile(r"^(\w+)(?: \([^)]*\))?:\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Docstring:
    """What the model is told."""

    description: str
    arguments: dict[str, str] = field(default_factory=dict)


def taken_apart(text: str) -> Docstring:
    """Return the description, up to the first section, and the entries of `Args:`; each in one line."""
    sections = _sections(inspect.cleandoc(text).splitlines())
    description = " ".join(" ".join(sections.pop("", [])).split())
    return Docstring(description, _arguments(sections.get("Args") or sections.get("Arguments") or []))


def _sections(lines: list[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in lines:
        if found := _SECTION.match(line):
            name = found[1]
        sections.setdefault(name, []).append("" if found else line)
    return sections


def _arguments(lines: list[str]) -> dict[str, str]:
    arguments: dict[str, str] = {}
    name, shallowest = "", min((_indent(line) for line in lines if line.strip()), default=0)
    for line in lines:
        begun = _ARGUMENT.match(line.strip()) if _indent(line) == shallowest else None
        if begun:
            name = begun[1]
        if name:
            arguments[name] = f"{arguments.get(name, '')} {begun[2] if begun else line.strip()}".strip()
    return arguments


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
