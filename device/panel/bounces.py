"""PURE. How a contact bounces, from its raw edges: whether one push will be felt as one.

What counts is how long the contact is open at most before it closes again. No hand lets go and presses again within
`QUICKEST`, so what is shorter is bouncing, and what of it is longer than `DEBOUNCE` is felt as another push.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from device.panel.gestures import DEBOUNCE

QUICKEST: Final = 0.050
"""Seconds: who taps as quickly as they can has ten taps in a second, half of each with the button up."""

Edge = tuple[float, bool]
"""Monotonic seconds, and whether the contact is closed from then on."""


@dataclass(frozen=True, slots=True)
class Bounces:
    """What a hand did, and what the contact made of it."""

    pushes: int
    """By hand."""
    felt: int
    """By a robot."""
    gap: float
    """Seconds for which the contact was open at most while it bounced; 0 where it did not."""


def bounces(edges: Sequence[Edge]) -> Bounces:
    """Return what these edges, in order, tell; a contact that was closed before the first of them is let go in it."""
    gaps = [after - before for (before, closed), (after, again) in pairwise(edges) if not closed and again]
    first = int(bool(edges) and edges[0][1])
    return Bounces(
        pushes=first + sum(gap >= QUICKEST for gap in gaps),
        felt=first + sum(gap >= DEBOUNCE for gap in gaps),
        gap=max((gap for gap in gaps if gap < QUICKEST), default=0.0),
    )
