from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisioning.breaker import FAILURES, REST, Breaker


def broken() -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        assert breaker.wait(0.0) == 0
        breaker.told(0.0, good=False)
    return breaker


def test_after_failures_in_a_row_it_rests_and_lets_one_try() -> None:
    breaker = broken()
    assert breaker.wait(1.0) == REST - 1
    assert breaker.wait(REST) == 0, "the trial"
    assert breaker.wait(REST) == REST, "the others wait for it"
    breaker.told(REST + 1, good=True)
    assert breaker.wait(REST + 1) == 0


def test_a_trial_that_fails_lets_it_rest_again() -> None:
    breaker = broken()
    assert breaker.wait(REST) == 0
    breaker.told(REST + 2, good=False)
    assert breaker.wait(REST + 2) == REST


def test_a_trial_of_which_nobody_tells_is_made_again() -> None:
    breaker = broken()
    assert breaker.wait(REST) == 0
    assert breaker.wait(2 * REST) == 0


def test_successes_between_do_not_let_it_rest() -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.told(0.0, good=False)
        breaker.told(0.0, good=True)
    assert breaker.wait(0.0) == 0


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from(["good", "bad", "ask"])), max_size=60))
def test_nobody_waits_longer_than_a_rest_and_a_good_call_ends_every_rest(acts: list[tuple[float, str]]) -> None:
    breaker, now = Breaker(), 0.0
    for pause, act in acts:
        now += pause
        if act != "ask":
            breaker.told(now, good=act == "good")
        if act == "good":
            assert breaker.wait(now) == 0
        assert 0 <= breaker.wait(now) <= REST + 1e-6
