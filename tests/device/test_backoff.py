"""Waiting times grow, stay bounded, and are spread."""

from __future__ import annotations

import random
from itertools import islice

from device.backoff import delays


def test_the_ceiling_doubles_up_to_the_longest() -> None:
    assert list(islice(delays(lambda _low, high: high), 7)) == [1, 2, 4, 8, 16, 30, 30]


def test_two_devices_do_not_return_together() -> None:
    ours, theirs = (list(islice(delays(random.Random(seed).uniform), 6)) for seed in (1, 2))
    assert all(abs(a - b) > 0.01 for a, b in zip(ours, theirs, strict=True))
