"""PURE. Whether a call that the service did not take is offered again: with a fresh secret, after a moment, or not at all.

Somebody stands in front of the robot and waits, so what passes by itself is given some two seconds; they can press again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.errors import UpstreamError

WAITS: Final = (0.5, 1.5)
"""Seconds before each further offer, of which at least half is waited, by chance, so that a fleet does not come at once."""

NO_MONEY: Final = "insufficient_quota"
"""The code of a refusal that no waiting helps against (platform.openai.com/docs/guides/error-codes)."""


@dataclass(frozen=True, slots=True)
class Again:
    """Offer it once more, `after` so many seconds, with a `fresh` secret or the same."""

    after: float
    fresh: bool


class Redial:
    """How often one call may still be offered; `uniform(low, high)` draws the jitter."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        self._waits = iter([uniform(wait / 2, wait) for wait in WAITS])
        self._asked = False

    def after(self, refused: UpstreamError) -> Again | None:
        """Return how to go on after a refusal; None: not at all.

        A secret that is not accepted is replaced once. An offer without an answer (`timeout`) is not made again, for it may
        have begun a call; nor is one that the service finds wrong.
        """
        if refused.status == 401 and not self._asked:
            self._asked = True
            return Again(0.0, fresh=True)
        busy = refused.status == 429 and refused.code != NO_MONEY
        if busy or (refused.status or 0) >= 500 or refused.code == "connection":
            return next((Again(wait, fresh=False) for wait in self._waits), None)
        return None
