"""PURE. One session so far, as its figures and its record are made from it; times in monotonic seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from device.messages.minting import Grant
from device.messages.record import FORMAT, Manifest, State
from device.messages.reports import SessionFigures
from device.turns import TurnTimer

LONGEST: Final = 600_000
"""Milliseconds: a start that takes longer is told as that long."""


@dataclass(slots=True)
class Talk:
    """What was learnt of one session since its press."""

    id: str
    reason: str
    pressed: float
    timer: TurnTimer = field(default_factory=TurnTimer)
    tools: Counter[str] = field(default_factory=Counter)
    listening: float | None = None
    on_air: float | None = None
    grant: Grant | None = None
    recorded_from: float | None = None
    """When the sounds of its record begin; None while nothing is kept."""
    refused: bool = False
    """Somebody does not want it recorded."""

    def place(self, at: float) -> float:
        """Return how many seconds after the beginning of its sounds a moment is."""
        return 0.0 if self.recorded_from is None else round(at - self.recorded_from, 3)

    def figures(self, wall: float, seconds: float, *, recorded: bool) -> SessionFigures:
        """Return its figures, as told at `wall` (Unix seconds)."""
        return SessionFigures(
            session=self.id,
            at=wall,
            seconds=seconds,
            listening=self._since_press(self.listening),
            on_air=self._since_press(self.on_air),
            turns=self.timer.turns,
            tools=self.tools.total(),
            recorded=recorded,
        )

    def manifest(self, device: str, consent: str, began_at: float) -> Manifest:
        """Return the manifest of its record, as it begins; `began_at` in Unix seconds."""
        return Manifest(
            format=FORMAT,
            state=State.OPEN,
            session=self.id,
            device=device,
            began_at=began_at,
            consent=consent,
            reason=self.reason,
            model="" if self.grant is None else self.grant.openai.model,
            language="" if self.grant is None else self.grant.language,
        )

    def _since_press(self, at: float | None) -> int | None:
        return None if at is None else min(LONGEST, max(0, round(1000 * (at - self.pressed))))
