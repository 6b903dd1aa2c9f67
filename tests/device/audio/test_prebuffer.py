from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, Samples
from device.audio.prebuffer import CAPACITY, RECENT, Prebuffer


def block(number: int) -> Samples:
    return np.full(BLOCK, number, np.int16)


def numbers(sent: list[Samples]) -> list[int]:
    return [int(samples[0]) for samples in sent]


@given(st.integers(0, CAPACITY + 100), st.integers(0, 300))
def test_what_is_kept_comes_whole_and_in_order_at_twice_the_speed(kept: int, more: int) -> None:
    prebuffer, sent = Prebuffer(), list[Samples]()
    prebuffer.keep()
    for number in range(kept):
        assert not prebuffer.push(block(number))
    prebuffer.release()
    for number in range(kept, kept + more):
        now = prebuffer.push(block(number))
        assert 1 <= len(now) <= 2
        sent += now
    lost = max(0, kept - CAPACITY)
    assert prebuffer.dropped == lost
    assert numbers(sent) == list(range(lost, lost + len(sent)))
    assert len(sent) + prebuffer.behind + lost == kept + more
    assert prebuffer.behind == max(0, min(kept, CAPACITY) - more)


def test_once_caught_up_blocks_pass_straight_through() -> None:
    prebuffer = Prebuffer()
    prebuffer.keep()
    prebuffer.push(block(1))
    prebuffer.release()
    assert numbers(list(prebuffer.push(block(2)))) == [1, 2]
    assert numbers(list(prebuffer.push(block(3)))) == [3]


def test_without_a_press_blocks_pass_through_and_a_new_press_begins_anew() -> None:
    prebuffer = Prebuffer()
    assert numbers(list(prebuffer.push(block(1)))) == [1]
    prebuffer.keep()
    prebuffer.push(block(2))
    prebuffer.keep()
    prebuffer.push(block(3))
    prebuffer.release()
    assert numbers(list(prebuffer.push(block(4)))) == [3, 4]


def test_what_was_kept_can_be_forgotten() -> None:
    prebuffer = Prebuffer()
    prebuffer.keep()
    prebuffer.push(block(1))
    prebuffer.discard()
    assert numbers(list(prebuffer.push(block(2)))) == [2]


def test_what_was_passed_on_last_is_sent_once_more_and_then_caught_up_with() -> None:
    prebuffer = Prebuffer()
    for number in range(100):
        prebuffer.push(block(number))
    prebuffer.repeat()
    sent = [samples for number in range(100, 100 + 2 * RECENT) for samples in prebuffer.push(block(number))]
    assert numbers(sent) == list(range(100 - RECENT, 100 + 2 * RECENT))
    assert prebuffer.behind == 0


def test_for_a_call_that_is_gone_it_keeps_what_was_said_last_and_all_that_follows() -> None:
    prebuffer = Prebuffer()
    for number in range(100):
        prebuffer.push(block(number))
    prebuffer.hold()
    for number in range(100, 100 + CAPACITY):
        assert not prebuffer.push(block(number))
    assert prebuffer.dropped == RECENT
    prebuffer.release()
    assert numbers(list(prebuffer.push(block(100 + CAPACITY)))) == [100, 101]


def test_nothing_of_one_session_is_said_in_the_next() -> None:
    prebuffer = Prebuffer()
    prebuffer.push(block(1))
    prebuffer.keep()
    prebuffer.repeat()
    assert prebuffer.behind == 0


CALLS = st.lists(
    st.sampled_from(["push", "push", "push", "push", "keep", "hold", "repeat", "release", "discard"]), max_size=60
)


@given(CALLS)
def test_whatever_is_called_nothing_is_sent_out_of_order_but_what_is_said_once_more(calls: list[str]) -> None:
    prebuffer, sent, number, again = Prebuffer(capacity=8), list[int](), 0, False
    for call in calls:
        if call == "push":
            before = len(sent)
            now = numbers(list(prebuffer.push(block(number))))
            sent += now
            number += 1
            assert (not now) is prebuffer.keeping
            steps = [after - one for one, after in pairwise(sent[max(0, before - 1) :])]
            assert all(step > 0 or again for step in steps), "backwards only for what is said once more"
            again = again and not now
        else:
            getattr(prebuffer, call)()
            again = again or call in {"hold", "repeat"}
        assert prebuffer.behind <= 8
    prebuffer.release()
    rest = list[int]()
    while prebuffer.behind:
        rest += numbers(list(prebuffer.push(block(number))))
        number += 1
        assert number < 500, "it is never caught up with"
    assert rest == sorted(set(rest)), "what is left comes in order, once"
