from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, BLOCK_SECONDS
from device.audio.delay import FIRST_DELAY, LONGEST_TARGET, LOSSY_FOR, PlayoutDelay


def fed(lateness: list[float], *, frame: int = BLOCK, start: float = 0.0) -> PlayoutDelay:
    delay = PlayoutDelay()
    for index, late in enumerate(lateness):
        delay.arrived(start + index * BLOCK_SECONDS + late, index * BLOCK, frame)
    return delay


@pytest.mark.parametrize(("frame", "target"), [(BLOCK, 0.025), (2880, 0.065)])
def test_a_steady_network_needs_five_milliseconds_and_for_a_while_after_a_loss_a_frame(
    frame: int, target: float
) -> None:
    delay = fed([0.0] * 100, frame=frame)
    assert delay.target == pytest.approx(0.005)
    delay.tick(2.0)
    delay.lost()
    for index in range(100, 130):
        delay.arrived(index * BLOCK_SECONDS, index * BLOCK, frame)
        assert delay.target == pytest.approx(target)
    for index in range(130, round((2.0 + LOSSY_FOR) / BLOCK_SECONDS) + 2):
        delay.arrived(index * BLOCK_SECONDS, index * BLOCK, frame)
    assert delay.target == pytest.approx(0.005)


def test_the_first_second_teaches_only_to_wait_longer() -> None:
    assert fed([0.0] * 20).target == FIRST_DELAY
    assert fed([0.0, 0.1] * 20).target > FIRST_DELAY


@given(st.lists(st.floats(0.0, 0.45), min_size=1, max_size=300), st.floats(0, 1e6))
def test_the_target_is_bounded(lateness: list[float], start: float) -> None:
    assert 0.005 <= fed(lateness, start=start).target <= LONGEST_TARGET


def test_a_burst_at_the_beginning_is_not_jitter() -> None:
    assert fed([-0.02 * index for index in range(8)] + [-0.14] * 10).target == FIRST_DELAY


def test_a_sender_that_paused_is_not_jitter() -> None:
    assert fed([0.0] * 100 + [0.3] * 60).target == pytest.approx(0.005)


def test_stalls_that_come_again_are_waited_for() -> None:
    stall = [0.09, 0.07, 0.05, 0.03, 0.01] + [0.0] * 70
    assert fed([0.0] * 50 + stall * 3).target == pytest.approx(0.095)


def test_a_clock_that_jumps_is_not_jitter() -> None:
    delay = fed([0.0] * 100)
    for index in range(100, 200):
        delay.arrived(index * BLOCK_SECONDS, index * BLOCK + 48_000_000, BLOCK)
    assert delay.target == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("waits", "pending", "surplus"),
    [
        (-0.016, 0, -2 * BLOCK),
        (0.002, 0, -BLOCK),
        (0.002, 400, 400 - BLOCK),
        (0.004, 0, 0),
        (0.024, 0, 0),
        (0.024, 400, 400),
        (0.026, 0, BLOCK),
        (0.046, 100, 100 + 2 * BLOCK),
    ],
)
def test_what_waits_too_long_is_whole_blocks_and_what_is_decoded_in_vain(
    waits: float, pending: int, surplus: int
) -> None:
    delay = fed([0.0] * 100)
    delay.tick(100 * BLOCK_SECONDS)
    position = round((100 * BLOCK_SECONDS - waits) * 48_000)
    assert delay.waiting(position) == pytest.approx(waits, abs=1e-4)
    assert delay.surplus(position, pending) == surplus


def test_what_a_stall_has_brought_is_kept_for_a_while() -> None:
    delay = fed([0.0] * 100 + [0.1] + [0.0] * 50)
    for at, surplus in ((4.5, 0), (5.7, 3 * BLOCK)):
        delay.tick(at)
        position = round((at - 0.07) * 48_000)
        assert delay.surplus(position, 0) == surplus
        delay = fed([0.0] * 100 + [0.1] + [0.0] * 184)


def test_ticks_that_come_late_in_bunches_do_not_look_like_a_longer_delay() -> None:
    even, bunched = fed([0.0] * 100), fed([0.0] * 100)
    for tick in range(50):
        even.tick(tick * BLOCK_SECONDS)
        bunched.tick(tick * BLOCK_SECONDS + (0.08 - (tick % 5) * BLOCK_SECONDS if tick % 5 else 0.0))
    assert even.waiting(0) == pytest.approx(bunched.waiting(0))


def test_nothing_is_known_before_anything_came() -> None:
    delay = PlayoutDelay()
    assert delay.waiting(0) == 0.0
    assert delay.surplus(0, 0) == 0
