from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK_SECONDS
from device.record.pace import TOLERANCE, Pace


def test_blocks_follow_each_other_whatever_their_unevenness() -> None:
    pace = Pace(100.0)
    uneven = [0.004, -0.004, 0.0, 0.012] * 50
    assert [pace.place(100.0 + (n + 1) * BLOCK_SECONDS + off) for n, off in enumerate(uneven)] == [0] * 200
    assert pace.seconds == 4.0


def test_silence_stands_for_what_was_lost() -> None:
    pace = Pace(0.0)
    assert pace.place(0.02) == 0
    assert pace.place(1.02) == 49
    assert pace.place(1.04) == 0


def test_a_block_that_comes_too_early_is_dropped() -> None:
    pace = Pace(0.0)
    assert [pace.place(0.02) for _ in range(6)] == [0, 0, 0, 0, None, None]


@given(st.lists(st.floats(min_value=0.0, max_value=0.5), max_size=200), st.floats(min_value=0.9998, max_value=1.0002))
def test_sound_and_clock_never_part(pauses: list[float], speed: float) -> None:
    pace, at = Pace(0.0), 0.0
    for pause in pauses:
        at += BLOCK_SECONDS * speed + pause
        pace.place(at)
        assert abs(pace.seconds - at) <= (TOLERANCE + 1) * BLOCK_SECONDS
