from __future__ import annotations

import pytest
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


@pytest.mark.parametrize(
    ("off", "silence"),
    [(-TOLERANCE - 1, None), (-TOLERANCE, 0), (0, 0), (TOLERANCE, 0), (TOLERANCE + 1, TOLERANCE + 1), (50, 50)],
)
def test_only_what_is_off_by_more_than_the_tolerance_is_mended_and_then_whole(off: int, silence: int | None) -> None:
    pace = Pace(10.0)
    for number in range(10):
        pace.place(10.0 + (number + 1) * BLOCK_SECONDS)
    assert pace.place(10.0 + (11 + off) * BLOCK_SECONDS) == silence
    assert pace.written == (10 if silence is None else 11 + silence)
    assert pace.seconds == pytest.approx(pace.written * BLOCK_SECONDS)


@given(st.lists(st.floats(min_value=0.0, max_value=0.5), max_size=200), st.floats(min_value=0.9998, max_value=1.0002))
def test_sound_and_clock_never_part(pauses: list[float], speed: float) -> None:
    pace, at = Pace(0.0), 0.0
    for pause in pauses:
        at += BLOCK_SECONDS * speed + pause
        pace.place(at)
        assert abs(pace.seconds - at) <= (TOLERANCE + 1) * BLOCK_SECONDS
