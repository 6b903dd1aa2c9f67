from __future__ import annotations

import pytest

from device.rtc.watchdog import SILENCE_LIMIT, is_dead, silent_for


@pytest.mark.parametrize(
    ("last", "opened", "now", "silent"),
    [(None, 10.0, 12.5, 2.5), (11.0, 10.0, 12.5, 1.5), (3.0, 10.0, 12.5, 2.5), (13.0, 10.0, 12.5, 0.0)],
)
def test_silence_counts_from_the_last_packet_or_from_the_opening(
    last: float | None, opened: float, now: float, silent: float
) -> None:
    assert silent_for(last, opened, now) == silent


def test_a_connection_is_dead_after_the_limit() -> None:
    assert not is_dead(100.0, 0.0, 100.0 + SILENCE_LIMIT)
    assert is_dead(100.0, 0.0, 100.1 + SILENCE_LIMIT)
