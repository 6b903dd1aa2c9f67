"""PURE. One row of a state machine's table: what an event does in a state, and where it may lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from device.command import Command
from device.phase import Event

M = TypeVar("M")
E = TypeVar("E", bound=Event)
S = TypeVar("S", bound=StrEnum)
Action = Callable[[M, E, float], Iterable[Command]]
"""Carries one event at a monotonic time into a machine, and yields what is to be done."""


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """What one event does in one state: the action, and where it may lead (for the diagram and its test)."""

    run: Action[Any, Any]
    leads_to: frozenset[S]


def rows(states: Iterable[S], event: type[E], run: Action[M, E], *leads_to: S) -> dict[tuple[S, type], Row[S]]:
    """Return the rows of `event` for each of `states`, in which it leads to one of `leads_to`, or nowhere else."""
    return {(state, event): Row(run, frozenset(leads_to or {state})) for state in states}
