"""What the virtual board's lamp is taken to show, from a pin that was watched."""

from __future__ import annotations

from itertools import groupby

import pytest

from device.panel.faults import Fault
from device.panel.patterns import PATTERNS, Light, of_fault
from tests.board import light


def watched(shown: Light, since: float, seconds: float) -> list[tuple[bool, float]]:
    """Return the runs of a pin that shows a light, looked at every 3 ms from `since` after its beginning."""
    steps, at, found = PATTERNS[shown](lambda: None), 0.0, list[bool]()
    step = next(steps)
    ends = step.seconds
    while at < since + seconds:
        while at >= ends:
            step = next(steps)
            ends += step.seconds
        lit = (at * 100.0) % 1.0 < step.brightness
        if at >= since:
            found.append(lit)
        at += 0.003
    return [(lit, 0.003 * len(list(run))) for lit, run in groupby(found)]


@pytest.mark.parametrize("since", [0.0, 0.3, 0.7, 1.3, 2.0])
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in {Fault.BUSY, Fault.BUDGET}])
def test_a_fault_is_told_wherever_one_begins_to_look(fault: Fault, since: float) -> None:
    assert light.named(watched(of_fault(fault), since, 6.0)) == of_fault(fault)


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        (Light.IDLE, "breathing"),
        (Light.LISTENING, "steady"),
        (Light.OFFLINE, "offline"),
        (Light.PREPARING, "moving"),
        (Light.STARTING, "moving"),
    ],
)
@pytest.mark.parametrize("since", [0.0, 0.9, 2.2])
def test_what_is_no_fault_is_not_taken_for_one(shown: Light, name: str, since: float) -> None:
    assert light.named(watched(shown, since, 6.0)) == name


def test_a_pin_that_is_never_high_is_a_dark_lamp() -> None:
    assert light.named([(False, 6.0)]) == "dark"


def test_what_the_board_prints_is_read_as_seconds() -> None:
    assert light.runs("1 250000\n0 1000") == [(True, 0.25), (False, 0.001)]


def test_each_fault_has_a_row_of_its_own() -> None:
    rows = [light.fault_row(fault) for fault in Fault]
    assert len(set(rows)) == len(rows)
    assert light.fault_row(Fault.NETWORK) == "-."
