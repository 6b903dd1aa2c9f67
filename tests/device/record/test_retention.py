from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.record.retention import DAY, Kept, outlived

THREE = [Kept("b", 2 * DAY, 10), Kept("a", 1 * DAY, 10), Kept("c", 3 * DAY, 10)]


@pytest.mark.parametrize(
    ("days", "most", "gone"),
    [
        (9.0, 30, []),
        (9.0, 29, ["a"]),
        (9.0, 5, ["a", "b", "c"]),
        (2.0, 30, ["a"]),
        (1.0, 30, ["a", "b"]),
        (2.0, 10, ["a", "b"]),
    ],
)
def test_the_oldest_go_first_when_they_are_too_old_or_too_much(days: float, most: int, gone: list[str]) -> None:
    assert outlived(THREE, 3 * DAY, days, most) == gone


RECORDS = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 100)), max_size=12).map(
    lambda found: [Kept(str(number), day * DAY, size) for number, (day, size) in enumerate(found)]
)


@given(RECORDS, st.floats(0, 40), st.integers(0, 400))
def test_what_stays_is_young_and_small_enough_and_nothing_goes_without_need(
    kept: list[Kept], days: float, most: int
) -> None:
    now = 30 * DAY
    gone = outlived(kept, now, days, most)
    oldest_first = sorted(kept, key=lambda record: record.began_at)
    assert gone == [record.name for record in oldest_first[: len(gone)]]
    stays = oldest_first[len(gone) :]
    assert sum(record.size for record in stays) <= most
    assert all(record.began_at > now - days * DAY for record in stays)
    if gone:
        last = oldest_first[len(gone) - 1]
        too_much = last.size + sum(record.size for record in stays) > most
        assert too_much or last.began_at <= now - days * DAY


def test_nothing_kept_is_nothing_gone() -> None:
    assert outlived([], 0.0, 1.0, 0) == []
