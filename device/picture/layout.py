"""PURE. Where everything stands in the picture, with the character and without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["captions", "character"]
"""What there is besides meters, name and mark."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places that differ; type sizes and distances are in pixels."""

    panel: Box
    """The sheet with the captions."""
    rows: int
    size: int
    leading: int
    """From one line of a caption to the next."""
    meters: tuple[int, int]
    """The middle of the visitor's meter and of the robot's."""
    meter_top: int
    segment: int
    """Height of a segment of a meter with the gap below it."""

    @property
    def measure(self) -> int:
        """Return how wide a line of a caption may be."""
        left, _, right, _ = self.panel
        return right - left - 2 * PADDING


PADDING: Final = 22
"""Between the edge of the sheet and its words."""
MARK: Final = (16, 12)
"""Where the on-air mark begins."""
MARK_HEIGHT: Final = 26
METER_WIDTH: Final = 30

LAYOUTS: Final[dict[Kind, Layout]] = {
    "character": Layout((16, 268, 624, 348), 2, 25, 34, (86, 554), 66, 13),
    "captions": Layout((88, 58, 552, 336), 6, 29, 42, (44, 596), 92, 16),
}
