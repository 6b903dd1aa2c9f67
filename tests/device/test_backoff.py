"""Waiting times grow, stay bounded, and are spread."""

from __future__ import annotations

import random
from itertools import islice

from device.backoff import LASTED, Waits, delays


def test_the_ceiling_doubles_up_to_the_longest() -> None:
    assert list(islice(delays(lambda _low, high: high), 7)) == [1, 2, 4, 8, 16, 30, 30]


def test_two_devices_do_not_return_together() -> None:
    ours, theirs = (list(islice(delays(random.Random(seed).uniform), 6)) for seed in (1, 2))
    assert all(abs(a - b) > 0.01 for a, b in zip(ours, theirs, strict=True))


def longest(_low: float, high: float) -> float:
    return high


def test_a_connection_that_comes_up_and_falls_at_once_is_tried_ever_more_rarely() -> None:
    waits, now, waited = Waits(longest), 0.0, list[float]()
    for _ in range(8):
        waits.came_up(now)
        waited.append(waits.over(now := now + LASTED - 0.1))
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_one_that_has_lasted_is_tried_again_at_once_and_only_its_own_lasting_counts() -> None:
    waits = Waits(longest)
    assert [waits.over(now) for now in (0.0, 1.0, 3.0)] == [1.0, 2.0, 4.0]
    waits.came_up(10.0)
    assert waits.over(10.0 + LASTED) == 1.0
    assert waits.over(500.0) == 2.0, "it did not come up this time"
