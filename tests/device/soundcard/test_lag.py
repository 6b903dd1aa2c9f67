from __future__ import annotations

import pytest

from device.soundcard.lag import MINUTE, LoopLag


def test_nothing_is_late_before_the_first_block() -> None:
    assert LoopLag().counters() == {"loop_lag_p99_ms": 0.0, "loop_lag_worst_ms": 0.0}


def test_one_late_block_in_a_thousand_is_the_worst_and_not_the_99th_percentile() -> None:
    lag = LoopLag()
    for number in range(1000):
        lag.add(0.050 if number == 500 else 0.001)
    assert lag.counters() == pytest.approx({"loop_lag_p99_ms": 1.0, "loop_lag_worst_ms": 50.0})


def test_what_was_late_is_forgotten_after_a_minute() -> None:
    lag = LoopLag()
    lag.add(1.0)
    for _ in range(MINUTE):
        lag.add(0.002)
    assert lag.counters()["loop_lag_worst_ms"] == pytest.approx(2.0)
