"""PURE. Sessions as people look back on them, and how quick the robots were: the middle one, and the slowest of twenty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from device.messages.reports import TurnFigures


@dataclass(frozen=True, slots=True)
class Past:
    """One session; times in Unix seconds, money in micros. What only a device can tell is None until it has."""

    id: str
    device: str
    group: str
    reason: str
    began_at: float
    ended_at: float | None
    end_reason: str | None
    broadcast: bool
    """Whether it had a channel."""
    reserved: int
    cost: int | None
    talked: float | None = None
    """Seconds from the first moment the model listened to the end."""
    listening: int | None = None
    """Milliseconds from the press until the model listened."""
    on_air: int | None = None
    tools: int | None = None
    recorded: bool | None = None
    turns: tuple[TurnFigures, ...] = ()

    @property
    def lasted(self) -> float | None:
        """Seconds from the grant to the end; None while it goes on."""
        return None if self.ended_at is None else self.ended_at - self.began_at


@dataclass(frozen=True, slots=True)
class Spread:
    """How some milliseconds lie: half of them are at most `p50`, nineteen of twenty at most `p95`."""

    count: int
    p50: int
    p95: int


@dataclass(frozen=True, slots=True)
class Report:
    """A day, or any other set of sessions, in figures; a spread is None where nothing was measured."""

    sessions: int
    ended: int
    cost: int
    """Micros charged to those that have ended."""
    start: Spread | None
    """From the press until the model listened."""
    on_air: Spread | None
    """From the press until the broadcast was up."""
    turn: Spread | None
    """From the end of speech to the first sample at the speaker."""
    network: Spread | None
    model: Spread | None
    device: Spread | None


def spread(values: Iterable[int | None]) -> Spread | None:
    """Return how the values that are known lie, by nearest rank; None for none."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    return Spread(len(known), _ranked(known, 50), _ranked(known, 95))


def _ranked(known: Sequence[int], percent: int) -> int:
    return known[ceil(len(known) * percent / 100) - 1]


def report(past: Sequence[Past]) -> Report:
    """Return the figures of some sessions together."""
    turns = [turn for each in past for turn in each.turns]
    return Report(
        sessions=len(past),
        ended=sum(each.ended_at is not None for each in past),
        cost=sum(each.cost or 0 for each in past),
        start=spread(each.listening for each in past),
        on_air=spread(each.on_air for each in past),
        turn=spread(turn.total for turn in turns),
        network=spread(turn.network for turn in turns),
        model=spread(turn.model for turn in turns),
        device=spread(turn.device for turn in turns),
    )
