from __future__ import annotations

import random

from device.validity import SHARE, SPREAD, renew_at

DAY = 86_400.0


def test_a_fleet_of_one_day_does_not_renew_at_once() -> None:
    random.seed(4)
    days = sorted(renew_at(0.0, 60 * DAY, random.getrandbits(159)) / DAY for _ in range(1000))
    assert days[0] >= 60 * SHARE
    assert days[-1] <= 60 * (SHARE + SPREAD)
    busiest = max(sum(1 for day in days if start <= day < start + 1 / 24) for start in days)
    assert busiest < 30  # in an hour, of 1000


def test_a_certificate_has_one_moment_however_often_it_is_asked_for() -> None:
    assert renew_at(0.0, 60 * DAY, 12345) == renew_at(0.0, 60 * DAY, 12345)
    assert renew_at(0.0, 60 * DAY, 0) == 40 * DAY
