from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.panel.gestures import DEBOUNCE, HOLD, LONG_HOLD, Gesture, Gestures
from tests.device.panel.bounces import LONGEST, MORSE_KEY, RECORDED, UNFIT, Edges, longest_open, opening, stretched

PRESS, HELD, LONG, RELEASE = Gesture.PRESS, Gesture.HOLD, Gesture.LONG_HOLD, Gesture.RELEASE

Told = list[tuple[Gesture, float]]


def live(edges: list[tuple[float, bool]], until: float) -> Told:
    """Return every gesture and when it was told, with a caller that keeps each deadline."""
    gestures = Gestures()
    told: Told = []

    def wait(end: float) -> None:
        while gestures.deadline is not None and gestures.deadline <= end:
            now = gestures.deadline
            told.extend((gesture, now) for gesture in gestures.due(now))

    for at, closed in edges:
        wait(at)
        told.extend((gesture, at) for gesture in gestures.handle(closed, at))
    wait(until)
    return told


def trace(*milliseconds: float, start: float = 1.0) -> list[tuple[float, bool]]:
    """Return edges at these times, alternately closing and opening."""
    return [(start + at / 1000.0, number % 2 == 0) for number, at in enumerate(milliseconds)]


# Made by hand, worse than what others have recorded (`bounces`): WORN goes to the limit, the property tests beyond.
CLEAN = trace(0.0, 180.0)
TACT_SWITCH = trace(0.0, 0.31, 0.38, 0.9, 1.02, 1.13, 1.6, 142.0, 142.2, 142.31, 143.05, 144.9)
ARCADE_BUTTON = trace(0.0, 2.1, 2.4, 6.8, 7.9, 11.2, 14.0, 230.0, 231.5, 233.8, 239.0, 241.1, 247.7, 251.0, 260.4)
WORN = trace(0.0, 5.0, 9.0, 16.0, 24.0, 24.5, 28.0, 300.0, 318.0, 330.0, 349.0, 360.0)


@pytest.mark.parametrize("edges", [CLEAN, TACT_SWITCH, ARCADE_BUTTON, WORN])
def test_one_push_is_one_press_at_its_first_edge_and_one_release(edges: list[tuple[float, bool]]) -> None:
    opened = edges[-1][0]
    if len(edges) % 2:
        edges = [*edges, (opened := edges[-1][0] + 0.001, False)]

    told = live(edges, until=3.0)

    assert [gesture for gesture, _ in told] == [PRESS, RELEASE]
    assert told[0][1] == edges[0][0]
    assert told[1][1] == pytest.approx(opened + DEBOUNCE)


def pushed(closing: Edges, opened: Edges, seconds: float = 0.3) -> Edges:
    """Return a push at 1 s whose contact closes and, after `seconds`, opens like this."""
    released = 1.0 + closing[-1][0] + seconds
    return [(1.0 + at, closed) for at, closed in closing] + [(released + at, closed) for at, closed in opened]


@pytest.mark.parametrize("contact", RECORDED)
def test_contacts_that_were_recorded_are_felt_once_at_their_first_edge(contact: str) -> None:
    edges = pushed(RECORDED[contact], opening(RECORDED[contact]))

    told = live(edges, until=4.0)

    assert [gesture for gesture, _ in told] == [PRESS, RELEASE]
    assert told[0][1] == 1.0
    assert told[1][1] == pytest.approx(edges[-1][0] + DEBOUNCE)


@pytest.mark.parametrize("contact", RECORDED)
@pytest.mark.parametrize("switch", LONGEST)
def test_they_are_as_long_as_the_longest_that_others_have_measured(contact: str, switch: str) -> None:
    closing = stretched(RECORDED[contact], LONGEST[switch])

    told = live(pushed(closing, opening(closing)), until=4.0)

    assert [gesture for gesture, _ in told] == [PRESS, RELEASE]


@pytest.mark.parametrize("switch", UNFIT)
def test_a_switch_that_bounces_far_longer_is_felt_again_and_docs_say_to_take_another(switch: str) -> None:
    closing = stretched(MORSE_KEY, UNFIT[switch])
    assert longest_open(closing) > DEBOUNCE or longest_open(opening(closing)) > DEBOUNCE

    told = live(pushed(closing, opening(closing)), until=6.0)

    assert [gesture for gesture, _ in told].count(PRESS) > 1
    page = (Path(__file__).parents[3] / "docs" / "panel.md").read_text(encoding="utf-8")
    assert f"{1000 * UNFIT[switch]:.0f} ms" in page


def test_a_long_push_is_a_hold_once() -> None:
    told = live(trace(0.0, 1.0, 2.0, 7000.0), until=12.0)

    assert [gesture for gesture, _ in told] == [PRESS, HELD, RELEASE]
    assert told[1][1] == pytest.approx(1.0 + HOLD)


@pytest.mark.parametrize("edges", [TACT_SWITCH, ARCADE_BUTTON, WORN])
def test_a_very_long_push_is_told_once_however_the_contact_bounces(edges: list[tuple[float, bool]]) -> None:
    closing = [edge for edge in edges if edge[0] < 1.05]
    if not closing[-1][1]:
        closing = [*closing, (closing[-1][0] + 0.002, True)]
    opening = [(at + 9.0, closed) for at, closed in closing[:-1]]

    told = live([*closing, (10.0, False), *opening[1:], (10.3, False)], until=14.0)

    assert [gesture for gesture, _ in told] == [PRESS, HELD, LONG, RELEASE]
    assert told[2][1] == pytest.approx(1.0 + LONG_HOLD)


def test_a_hold_does_not_survive_an_opening_that_lasts() -> None:
    told = live(trace(0.0, 600.0, 640.0, 1500.0), until=5.0)

    assert [gesture for gesture, _ in told] == [PRESS, RELEASE, PRESS, RELEASE]


def test_a_flicker_while_held_is_no_new_press() -> None:
    told = live(trace(0.0, 600.0, 610.0, 1500.0), until=5.0)

    assert [gesture for gesture, _ in told] == [PRESS, HELD, RELEASE]


def test_pushes_one_after_the_other_are_all_felt() -> None:
    told = live(trace(0.0, 60.0, 120.0, 180.0, 240.0, 300.0), until=5.0)

    assert [gesture for gesture, _ in told] == [PRESS, RELEASE] * 3


def test_it_waits_20_to_30_ms_and_no_longer() -> None:
    assert 0.020 <= DEBOUNCE <= 0.030
    told = live(trace(0.0, 200.0, 231.0, 400.0), until=3.0)
    assert [gesture for gesture, _ in told] == [PRESS, RELEASE] * 2


def test_an_opening_that_is_told_twice_counts_from_the_first() -> None:
    gestures = Gestures()
    gestures.handle(True, 1.0)
    gestures.handle(False, 1.1)
    assert gestures.handle(False, 1.1 + 0.9 * DEBOUNCE) == []
    assert gestures.due(1.1 + DEBOUNCE) == [RELEASE]


def test_a_caller_that_was_late_hears_everything_in_order() -> None:
    gestures = Gestures()
    assert gestures.handle(True, 1.0) == [PRESS]
    assert gestures.handle(False, 3.0) == [HELD]
    assert gestures.handle(True, 4.0) == [RELEASE, PRESS]
    assert gestures.handle(False, 20.0) == [HELD, LONG]


def test_a_button_that_was_down_from_the_beginning_does_nothing() -> None:
    gestures = Gestures()
    assert gestures.handle(False, 1.0) == []
    assert gestures.deadline is None


@pytest.mark.parametrize("edges", [TACT_SWITCH, ARCADE_BUTTON, WORN])
def test_a_button_that_is_held_from_before_is_only_released_however_it_bounces(edges: list[tuple[float, bool]]) -> None:
    gestures, told = Gestures(), list[Gesture]()
    gestures.overlook()
    assert gestures.deadline is None
    opening = [(at, not closed) for at, closed in edges if at < 1.05]
    if opening[-1][1]:
        opening.append((opening[-1][0] + 0.001, False))
    for at, closed in opening:
        told += gestures.handle(closed, at)
    assert told == []
    assert gestures.due(opening[-1][0] + DEBOUNCE) == [RELEASE]
    assert gestures.handle(True, 2.0) == [PRESS]


@given(st.lists(st.tuples(st.floats(0.0001, 3.0), st.booleans()), max_size=40))
def test_whatever_the_contact_does_gestures_make_sense(pauses: list[tuple[float, bool]]) -> None:
    now, edges = 0.0, []
    for pause, closed in pauses:
        now += pause
        edges.append((now, closed))
    edges.append((now + 0.001, False))

    told = live(edges, until=now + 10.0)

    order = [gesture for gesture, _ in told]
    times = [at for _, at in told]
    assert times == sorted(times)
    assert order.count(PRESS) == order.count(RELEASE)
    text = "".join(gesture.value[0] for gesture in order)
    assert text.replace("phlr", "").replace("phr", "").replace("pr", "") == ""
    closings = {at for at, closed in edges if closed}
    assert all(at in closings for gesture, at in told if gesture is PRESS)


@given(st.lists(st.floats(0.00001, DEBOUNCE * 0.99), max_size=20), st.floats(0.03, 1.0))
def test_no_bounce_shorter_than_the_limit_is_ever_felt(bounces: list[float], push: float) -> None:
    edges, now, closed = [(0.0, True)], 0.0, True
    for pause in bounces:
        now, closed = now + pause, not closed
        edges.append((now, closed))
    if not closed:
        edges.append((now := now + 0.001, True))
    edges.append((now + push, False))

    order = [gesture for gesture, _ in live(edges, until=now + 10.0)]

    assert order in ([PRESS, RELEASE], [PRESS, HELD, RELEASE])
