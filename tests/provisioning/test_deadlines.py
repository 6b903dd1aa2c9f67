from __future__ import annotations

from collections.abc import Sequence
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from provisioning.deadlines import SLACK, Deadlines

NAMES = st.sampled_from("abcdefg")
TIMES = st.one_of(st.integers(0, 20).map(float), st.just(inf))
STEPS = st.lists(st.tuples(NAMES, st.one_of(TIMES, st.none())), max_size=200)


@given(STEPS)
def test_the_first_is_what_looking_through_all_of_them_finds(steps: Sequence[tuple[str, float | None]]) -> None:
    deadlines, known = Deadlines(), dict[str, float]()
    for name, at in steps:
        if at is None:
            deadlines.drop(name)
            known.pop(name, None)
        else:
            deadlines.set(name, at)
            known[name] = at
        first = deadlines.first()
        assert (first and first[0]) == min(known.values(), default=None)
        assert first is None or known[first[1]] == first[0]
        assert len(deadlines) == len(known)
        assert len(deadlines._heap) <= 2 * len(known) + SLACK


def test_one_that_stands_there_many_times_is_there_once() -> None:
    deadlines = Deadlines()
    for at in range(1000, 0, -1):
        deadlines.set("a", float(at))
        deadlines.set("a", 5000.0)
        assert deadlines.first() == (5000.0, "a")
    deadlines.drop("a")
    assert deadlines.first() is None


def test_those_that_come_and_go_leave_nothing_behind() -> None:
    deadlines = Deadlines()
    for number in range(10_000):
        deadlines.set(str(number), 1e9)
        deadlines.drop(str(number))
    deadlines.drop("nobody")
    assert len(deadlines._heap) <= SLACK


class Counted(float):
    """A time that counts how often it is compared."""

    comparisons = 0

    def __lt__(self, other: float) -> bool:
        Counted.comparisons += 1
        return float.__lt__(self, other)


def put_off(things: int, turns: int) -> float:
    """Return how many comparisons it takes to put one of many off, and to ask what is first."""
    deadlines = Deadlines()
    for number in range(things):
        deadlines.set(str(number), Counted(number))
    Counted.comparisons = 0
    for turn in range(turns):
        deadlines.set(str(turn % things), Counted(things + turn))
        deadlines.first()
    return Counted.comparisons / turns


def test_a_hundred_times_as_many_cost_no_more_than_the_logarithm_says() -> None:
    assert put_off(10_000, 20_000) < 2.5 * put_off(100, 20_000)
