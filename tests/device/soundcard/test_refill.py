from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, CALL, CALL_SECONDS, RATE
from device.soundcard.refill import LONGEST_LEAD, LONGEST_OVERDUE, SHORTEST_LEAD, Refill


def test_nothing_is_due_before_the_speaker_has_called() -> None:
    assert Refill(CALL).due(0, 5.0) is None


@pytest.mark.parametrize(("queued", "calls"), [(0, 1), (479, 1), (480, 2), (959, 2), (960, 3)])
def test_more_is_due_a_little_before_the_call_that_would_find_too_little(queued: int, calls: int) -> None:
    refill = Refill(CALL)
    refill.called(CALL, 100.0)
    assert refill.due(queued, 100.0) == pytest.approx(calls * CALL_SECONDS - SHORTEST_LEAD)
    assert refill.due(queued, 100.004) == pytest.approx(calls * CALL_SECONDS - SHORTEST_LEAD - 0.004)


def test_calls_that_do_not_come_are_reckoned_with_for_a_while() -> None:
    refill = Refill(CALL)
    refill.called(CALL, 100.0)
    assert refill.due(BLOCK, 100.050) == pytest.approx(0.030 - 0.050 - SHORTEST_LEAD), "they may all come at once"
    longest = refill.due(BLOCK, 100.0 + LONGEST_OVERDUE)
    assert refill.due(BLOCK, 200.0) == pytest.approx(longest)
    enough = refill.due(round(LONGEST_OVERDUE * RATE), 200.0)
    assert enough is not None
    assert enough > 0.0, "a speaker that stands still is not given more and more"


def test_it_asks_sooner_after_the_ring_ran_dry_and_later_again_when_it_does_not() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    refill.judge(3, 0.5)
    assert refill.lead == SHORTEST_LEAD, "a card that is opened calls in fits and starts"
    refill.judge(4, 2.0)
    assert refill.lead == pytest.approx(0.010)
    refill.judge(4, 31.0)
    assert refill.lead == pytest.approx(0.010)
    refill.judge(4, 33.0)
    assert refill.lead == pytest.approx(SHORTEST_LEAD)


def test_what_has_to_grow_again_and_again_shrinks_ever_later() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    refill.judge(1, 2.0)
    refill.judge(2, 3.0)
    assert refill.lead == pytest.approx(0.015)
    refill.judge(2, 62.0)
    assert refill.lead == pytest.approx(0.015), "twice as long as the first time"
    refill.judge(2, 64.0)
    assert refill.lead == pytest.approx(0.010)


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 100.0)), max_size=100))
def test_the_lead_is_bounded_whatever_happens(steps: list[tuple[int, float]]) -> None:
    refill, underruns, now = Refill(CALL), 0, 0.0
    for more, seconds in steps:
        underruns, now = underruns + more, now + seconds
        refill.judge(underruns, now)
        assert SHORTEST_LEAD <= refill.lead <= LONGEST_LEAD


@given(st.integers(96, 1920), st.integers(0, 10_000), st.floats(0.0, 0.05))
def test_when_it_is_due_the_next_call_is_the_one_that_lacks_samples(frames: int, queued: int, later: float) -> None:
    refill = Refill(frames)
    refill.called(frames, 7.0)
    due = refill.due(queued, 7.0 + later)
    assert due is not None
    calls = (due + later + SHORTEST_LEAD) * RATE / frames
    assert queued - frames * (calls - 1) < frames
    assert queued - frames * (calls - 1) > -1e-3


def test_a_late_call_does_not_make_the_next_one_late() -> None:
    refill = Refill(CALL)
    refill.called(CALL, 100.0)
    refill.called(CALL, 100.010)
    refill.called(CALL, 100.026)
    due = refill.due(0, 100.026)
    assert due == pytest.approx(0.030 - 0.026 - SHORTEST_LEAD, abs=0.001), "the call after it comes at its own time"
    for call in range(3, 60):
        refill.called(CALL, 100.006 + call * CALL_SECONDS)
    late = refill.due(0, 100.006 + 59 * CALL_SECONDS)
    assert late == pytest.approx(CALL_SECONDS - SHORTEST_LEAD, abs=1e-6), "one that stays late is believed"


def test_it_asks_sooner_once_more_has_only_just_come_in_time() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    refill.called(CALL, 2.000)
    refill.fed(0, 2.0095)
    refill.called(CALL, 2.010)
    refill.judge(0, 2.011)
    assert refill.lead == pytest.approx(0.005 + 0.0015), "so much more, and there would have been 2 ms"
    refill.fed(CALL, 2.0195)
    refill.called(CALL, 2.020)
    refill.judge(0, 2.021)
    assert refill.lead == pytest.approx(0.0065), "what was given then was not for this call"


def test_it_asks_later_only_by_what_was_to_spare() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    refill.judge(1, 2.0)
    refill.called(CALL, 3.000)
    refill.fed(0, 3.0055)
    refill.called(CALL, 3.010)
    refill.judge(1, 33.0)
    assert refill.lead == pytest.approx(0.010 - 0.0025)


def test_a_call_that_comes_early_is_believed_at_once_and_a_late_one_by_half_a_millisecond() -> None:
    refill = Refill(CALL)
    refill.called(CALL, 100.000)
    refill.called(CALL, 100.004)
    assert refill.due(0, 100.004) == pytest.approx(CALL_SECONDS - SHORTEST_LEAD)
    refill.called(CALL, 100.050)
    assert refill.due(0, 100.050) == pytest.approx(CALL_SECONDS - SHORTEST_LEAD - (0.050 - 0.0145))


def test_the_next_call_is_foretold_by_how_much_the_last_one_took() -> None:
    refill = Refill(CALL)
    refill.called(3 * CALL, 100.0)
    assert refill.due(0, 100.0) == pytest.approx(3 * CALL_SECONDS - SHORTEST_LEAD)
    refill.called(CALL, 100.030)
    assert refill.due(0, 100.030) == pytest.approx(CALL_SECONDS - SHORTEST_LEAD), "it came when it was due"


def grown(spare: float) -> float:
    """By how much the lead grows when a refill came `spare` seconds before its call."""
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    refill.called(CALL, 2.000)
    refill.fed(0, 2.010 - spare)
    refill.called(CALL, 2.010)
    refill.judge(0, 2.011)
    return refill.lead - SHORTEST_LEAD


@pytest.mark.parametrize(
    ("spare", "more"),
    [(0.0050, 0.0), (0.0011, 0.0), (0.0009, 0.0011), (0.0002, 0.0018), (0.0, 0.002), (-0.003, 0.005)],
)
def test_less_than_a_millisecond_to_spare_is_made_two(spare: float, more: float) -> None:
    assert grown(spare) == pytest.approx(more, abs=1e-9)


def test_the_worst_of_several_calls_counts_and_once() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    for call, spare in ((2.010, 0.004), (2.020, 0.0005), (2.030, 0.004)):
        refill.fed(0, call - spare)
        refill.called(CALL, call)
    refill.judge(0, 2.031)
    assert refill.lead == pytest.approx(SHORTEST_LEAD + 0.0015)
    refill.judge(0, 2.041)
    assert refill.lead == pytest.approx(SHORTEST_LEAD + 0.0015)


def test_the_first_second_teaches_nothing_and_the_next_moment_does() -> None:
    refill = Refill(CALL)
    refill.judge(0, 10.0)
    refill.judge(1, 10.99)
    assert refill.lead == SHORTEST_LEAD
    refill.judge(1, 11.0)
    assert refill.lead == SHORTEST_LEAD, "what ran dry before is told"
    refill.judge(2, 11.0)
    assert refill.lead == pytest.approx(0.010)
    refill.judge(2, 12.0)
    assert refill.lead == pytest.approx(0.010), "it ran dry once"


def eased_after(growths: int) -> float:
    """Return after how many quiet seconds the lead is made shorter that had to grow so many times."""
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    for number in range(1, growths + 1):
        refill.judge(number, 10.0 + number)
    lead, seconds = refill.lead, 0.0
    while refill.lead == lead:
        seconds += 1.0
        refill.judge(growths, 10.0 + growths + seconds)
    return seconds


@pytest.mark.parametrize(
    ("growths", "seconds"), [(1, 31.0), (2, 61.0), (3, 121.0), (4, 241.0), (5, 481.0), (6, 481.0), (9, 481.0)]
)
def test_the_wait_until_it_eases_doubles_up_to_eight_minutes(growths: int, seconds: float) -> None:
    assert eased_after(growths) == seconds


def test_it_never_asks_sooner_than_the_longest_lead_nor_later_than_the_shortest() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    for number in range(1, 12):
        refill.judge(number, 10.0 + number)
    assert refill.lead == LONGEST_LEAD
    for minutes in range(1, 200):
        refill.judge(11, 21.0 + 481.0 * minutes)
    assert refill.lead == SHORTEST_LEAD


def test_calls_of_a_card_that_takes_odd_numbers_are_reckoned_in_whole_calls() -> None:
    refill = Refill(441)
    refill.called(441, 0.0)
    assert refill.due(441 + 440, 0.0) == pytest.approx(2 * 441 / RATE - SHORTEST_LEAD)
    assert refill.due(2 * 441, 0.0) == pytest.approx(3 * 441 / RATE - SHORTEST_LEAD)


def test_what_was_nearly_too_late_is_no_reason_to_wait_longer_before_easing() -> None:
    refill = Refill(CALL)
    refill.judge(0, 0.0)
    refill.judge(1, 2.0)
    refill.fed(0, 2.9995)
    refill.called(CALL, 3.0)
    refill.judge(1, 3.0)
    assert refill.lead == pytest.approx(0.0115)
    refill.judge(1, 33.0)
    assert refill.lead == pytest.approx(0.0115)
    refill.judge(1, 33.1)
    assert refill.lead == pytest.approx(0.0065)


def test_a_tenth_of_a_second_of_calls_that_do_not_come_is_believed_and_no_more() -> None:
    refill = Refill(CALL)
    refill.called(CALL, 100.0)
    for later, due in ((0.099, 0.030 - 0.099), (0.101, 0.030 - 0.1), (50.0, 0.030 - 0.1)):
        assert refill.due(BLOCK, 100.0 + later) == pytest.approx(due - 0.005)
