"""Draws the 40-pin header as it is seen from above, with what a build wires to it: reads pins.toml, writes graphviz' language.

Run by `make hardware`: `header.py BUILD/pins.toml | dot -Tpng`.
"""

from __future__ import annotations

import sys
import tomllib
from html import escape
from pathlib import Path
from typing import Any, Final

GPIOS: Final = {
    2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22,
    11: 23, 8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37, 20: 38, 21: 40,
}  # fmt: skip
"""The place on the header of each GPIO (BCM number), by https://pinout.xyz."""

PLACES: Final = (
    dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "GND")
    | {1: "3V3", 17: "3V3", 2: "5V", 4: "5V"}
    | {place: f"GPIO {gpio}" for gpio, place in GPIOS.items()}
)
"""What is at each of the 40 places."""

COLOURS: Final = {"GND": "#424242", "3V3": "#EF6C00", "5V": "#C62828"}
GPIO_COLOUR: Final = "#1565C0"
FREE: Final = "#ECEFF1"


def wired(table: dict[str, Any]) -> dict[int, list[str]]:
    """Return what goes to each place of the header."""
    found: dict[int, list[str]] = {}
    for row in [*table["panel"].values(), *table["wire"]]:
        found.setdefault(row["header"], []).append(row["to"].replace(":", " "))
    return found


def picture(table: dict[str, Any]) -> str:
    """Return the header in graphviz' language: 20 rows, odd places left, even ones right, the used ones in colour."""
    to = wired(table)
    rows = "".join(f"<TR>{_side(odd, to, left=True)}{_side(odd + 1, to, left=False)}</TR>" for odd in range(1, 41, 2))
    note = '<TR><TD COLSPAN="6">SD card at this end; the edge of the board is to the right</TD></TR>'
    return (
        'digraph header { graph [dpi=110, margin=0]; node [shape=plain, fontname="DejaVu Sans", fontsize=11];\n'
        f'h [label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="3">{note}{rows}</TABLE>>]; }}\n'
    )


def _side(place: int, to: dict[int, list[str]], *, left: bool) -> str:
    """Return the three cells of a place: where its wire goes, what it is, its number."""
    what, goes = PLACES[place], to.get(place, [])
    paint = COLOURS.get(what, GPIO_COLOUR) if goes else FREE
    ink = "white" if goes else "#607D8B"
    align = "RIGHT" if left else "LEFT"
    cells = [
        f'<TD ALIGN="{align}" WIDTH="200">{escape(" and ".join(goes)) or " "}</TD>',
        f'<TD BGCOLOR="{paint}" WIDTH="70"><FONT COLOR="{ink}">{what}</FONT></TD>',
        f'<TD BGCOLOR="{paint}" WIDTH="30"><FONT COLOR="{ink}"><B>{place}</B></FONT></TD>',
    ]
    return "".join(cells if left else reversed(cells))


if __name__ == "__main__":
    sys.stdout.write(picture(tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
