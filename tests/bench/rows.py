"""What a bench prints and writes: one row for each figure, with what it must be and what the peers got."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure."""

    name: str
    value: float
    unit: str
    must: str = ""
    """The bound, in words; empty where there is none."""
    aim: str = ""
    peers: dict[str, float] = field(default_factory=dict)
    """The same figure of others, taken in the same run."""
    ok: bool | None = None
    """Whether `must` holds; None where there is no bound."""


def at_most(name: str, value: float, unit: str, must: float, aim: float | None = None) -> Row:
    """Return a row that is good when its value is small."""
    return Row(name, value, unit, f"<= {must:g}", "" if aim is None else f"<= {aim:g}", ok=value <= must)


def at_least(name: str, value: float, unit: str, must: float, aim: float | None = None) -> Row:
    """Return a row that is good when its value is large."""
    return Row(name, value, unit, f">= {must:g}", "" if aim is None else f">= {aim:g}", ok=value >= must)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as lines of text, aligned."""
    lines: list[tuple[str, ...]] = [("", "name", "value", "unit", "must", "aim", "peers")]
    lines += [_cells(row) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(7)]
    return "\n".join(" ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    mark = {True: "ok", False: "--", None: ""}[row.ok]
    peers = ", ".join(f"{name} {value:.3g}" for name, value in row.peers.items())
    return (mark, row.name, f"{row.value:.4g}", row.unit, row.must, row.aim, peers)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write the rows as a JSON list."""
    listed = [asdict(row) | {"value": round(row.value, 4)} for row in rows]
    path.write_text(json.dumps(listed, indent=1, allow_nan=False) + "\n", encoding="utf-8")
