from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.panel.gestures import DEBOUNCE
from device.panel.switch import Switch
from tests.device.panel.test_gestures import ARCADE_BUTTON, CLEAN, TACT_SWITCH, WORN


def live(edges: list[tuple[float, bool]], until: float) -> list[tuple[bool, float]]:
    """Return every change and when it was told, with a caller that keeps each deadline."""
    switch, told = Switch(), list[tuple[bool, float]]()
    for at, closed in [*edges, (until, edges[-1][1])]:
        while switch.deadline is not None and switch.deadline <= at:
            due = switch.deadline
            told.extend((off, due) for off in switch.due(due))
        if at < until:
            told.extend((off, at) for off in switch.handle(closed, at))
    return told


@pytest.mark.parametrize("edges", [CLEAN, TACT_SWITCH, ARCADE_BUTTON, WORN])
def test_off_counts_at_the_first_edge_and_on_when_the_contact_has_settled(edges: list[tuple[float, bool]]) -> None:
    if edges[-1][1]:
        edges = [*edges, (edges[-1][0] + 0.001, False)]

    told = live(edges, until=3.0)

    assert told == [(True, edges[0][0]), (False, pytest.approx(edges[-1][0] + DEBOUNCE))]


def test_an_opening_that_is_told_twice_counts_from_the_first_and_a_late_caller_hears_everything() -> None:
    switch = Switch()
    assert switch.handle(True, 1.0) == [True]
    assert switch.handle(False, 1.1) == switch.handle(False, 1.1 + 0.9 * DEBOUNCE) == []
    assert switch.due(1.1 + DEBOUNCE) == [False]
    assert switch.handle(True, 2.0) == [True]
    assert switch.handle(False, 3.0) == []
    assert switch.handle(True, 4.0) == [False, True]


@given(st.lists(st.tuples(st.floats(0.0001, 1.0), st.booleans()), min_size=1, max_size=40))
def test_off_and_on_take_turns_and_in_the_end_it_is_as_the_contact_is(pauses: list[tuple[float, bool]]) -> None:
    now, edges = 0.0, []
    for pause, closed in pauses:
        now += pause
        edges.append((now, closed))

    told = [off for off, _ in live(edges, until=now + 1.0)]

    assert told == [number % 2 == 0 for number in range(len(told))]
    assert (bool(told) and told[-1]) == edges[-1][1]
