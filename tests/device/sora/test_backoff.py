from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.sora.backoff import FIRST, LONGEST, SETTLED, Backoff
from device.sora.ends import Cause, End

LOST = End(Cause.LOST, 1006)


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff()
    assert [backoff.after(LOST, 0, 0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_connection_that_settled_starts_anew() -> None:
    backoff = Backoff()
    for _ in range(9):
        backoff.after(LOST, 1.0, 0)
    assert backoff.after(LOST, SETTLED, 0) == FIRST
    assert backoff.after(LOST, 0.0, 0) == 2 * FIRST


def test_whoever_was_sent_away_on_purpose_waits_long_but_an_aged_connection_does_not() -> None:
    assert Backoff().after(End(Cause.ENDED, 1000, "DISCONNECTED-API"), 100, 0) == LONGEST
    assert Backoff().after(End(Cause.ENDED, 1000, "LIFETIME-EXPIRED"), 100, 0) == FIRST


def test_every_kind_of_relay_is_tried_before_the_wait_grows() -> None:
    backoff, no_media = Backoff(), End(Cause.MEDIA)
    assert [(backoff.after(no_media, 0, 0), backoff.attempt) for _ in range(6)] == [
        (0.5, 1),
        (0.5, 2),
        (0.5, 3),
        (0.5, 4),
        (0.5, 5),
        (1, 6),
    ]


def test_media_that_was_lost_later_says_nothing_against_the_relay() -> None:
    backoff = Backoff()
    backoff.after(End(Cause.MEDIA), 5.0, 0)
    assert backoff.attempt == 0


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1, exclude_max=True)), max_size=100))
def test_every_wait_is_bounded_and_never_a_busy_loop(history: list[tuple[float, float]]) -> None:
    backoff = Backoff()
    for lasted, random in history:
        assert FIRST / 2 <= backoff.after(LOST, lasted, random) <= LONGEST
