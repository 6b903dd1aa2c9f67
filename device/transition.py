"""PURE. One row of a state machine's table: what an event does in a phase, and where it may lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from device.command import Command
from device.phase import Event, Phase

M = TypeVar("M")
E = TypeVar("E", bound=Event)
Action = Callable[[M, E, float], Iterable[Command]]
"""Carries one event at a monotonic time into a machine, and yields what is to be done."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one event does in one phase: the action, and where it may lead (for the diagram and its test)."""

    run: Action[Any, Any]
    leads_to: frozenset[Phase]


def rows(phases: Iterable[Phase], event: type[E], run: Action[M, E], *leads_to: Phase) -> dict[tuple[Phase, type], Row]:
    """Return the rows of `event` for each of `phases`, in which it leads to one of `leads_to`, or nowhere else."""
    return {(phase, event): Row(run, frozenset(leads_to or {phase})) for phase in phases}
