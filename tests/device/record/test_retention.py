from __future__ import annotations

import pytest

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
