from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL
from device.audio.delay import FIRST_DELAY, LONGEST_TARGET, LOSSY_AT_FIRST, LOSSY_FOR, PlayoutDelay

SETTLED = round(LOSSY_AT_FIRST / BLOCK_SECONDS) + 2
"""Packets after which a network without losses is known for one."""


def fed(lateness: list[float], *, frame: int = BLOCK, start: float = 0.0) -> PlayoutDelay:
    delay = PlayoutDelay()
    for index, late in enumerate(lateness):
        delay.arrived(start + index * BLOCK_SECONDS + late, index * BLOCK, frame)
    return delay


@pytest.mark.parametrize(("frame", "target"), [(BLOCK, 0.025), (2880, 0.065)])
def test_a_steady_network_needs_five_milliseconds_and_at_first_and_after_a_loss_a_frame(
    frame: int, target: float
) -> None:
    assert fed([0.0] * (SETTLED - 10), frame=frame).target == pytest.approx(target)
    delay = fed([0.0] * SETTLED, frame=frame)
    assert delay.target == pytest.approx(0.005)
    delay.tick(SETTLED * BLOCK_SECONDS)
    delay.lost()
    for index in range(SETTLED, SETTLED + 30):
        delay.arrived(index * BLOCK_SECONDS, index * BLOCK, frame)
        assert delay.target == pytest.approx(target)
    for index in range(SETTLED + 30, SETTLED + round(LOSSY_FOR / BLOCK_SECONDS) + 2):
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
    assert fed([0.0] * SETTLED + [0.3] * 60).target == pytest.approx(0.005)


def test_stalls_that_come_again_are_waited_for() -> None:
    stall = [0.09, 0.07, 0.05, 0.03, 0.01] + [0.0] * 70
    assert fed([0.0] * 50 + stall * 3).target == pytest.approx(0.095)


def test_a_clock_that_jumps_is_not_jitter() -> None:
    delay = fed([0.0] * SETTLED)
    for index in range(SETTLED, SETTLED + 100):
        delay.arrived(index * BLOCK_SECONDS, index * BLOCK + 48_000_000, BLOCK)
    assert delay.target == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("waits", "pending", "surplus", "at_leisure"),
    [
        (-0.016, 0, -3 * CALL, -3 * CALL),
        (0.0005, 0, -CALL, -CALL),
        (0.0005, 400, 400 - CALL, 400 - CALL),
        (0.002, 0, 0, -CALL),
        (0.006, 0, 0, 0),
        (0.016, 0, 0, 0),
        (0.016, 400, 400, 400),
        (0.018, 0, CALL, CALL),
        (0.046, 100, 100 + 3 * CALL, 100 + 3 * CALL),
    ],
)
def test_what_waits_too_long_is_whole_calls_and_what_is_decoded_in_vain(
    waits: float, pending: int, surplus: int, at_leisure: int
) -> None:
    delay = fed([0.0] * SETTLED)
    now = SETTLED * BLOCK_SECONDS
    delay.tick(now)
    position = round((now - waits) * 48_000)
    assert delay.waiting(position) == pytest.approx(waits, abs=1e-4)
    assert delay.surplus(position, pending, at_leisure=False) == surplus
    assert delay.surplus(position, pending, at_leisure=True) == at_leisure


def test_what_a_stall_has_brought_is_kept_for_a_while() -> None:
    for after, surplus in ((50, 0), (184, 6 * CALL)):
        delay = fed([0.0] * SETTLED + [0.1] + [0.0] * after)
        at = (SETTLED + 1 + after) * BLOCK_SECONDS
        delay.tick(at)
        position = round((at - 0.07) * 48_000)
        assert delay.surplus(position, 0, at_leisure=False) == surplus


def test_ticks_that_come_late_in_bunches_do_not_look_like_a_longer_delay() -> None:
    even, bunched = fed([0.0] * 100), fed([0.0] * 100)
    for tick in range(50):
        even.tick(tick * BLOCK_SECONDS)
        even.handed(BLOCK)
        bunched.tick(tick * BLOCK_SECONDS + (0.08 - (tick % 5) * BLOCK_SECONDS if tick % 5 else 0.0))
        bunched.handed(BLOCK)
    assert even.waiting(0) == pytest.approx(bunched.waiting(0))


def test_nothing_is_known_before_anything_came() -> None:
    delay = PlayoutDelay()
    assert delay.waiting(0) == 0.0
    assert delay.surplus(0, 0, at_leisure=True) == 0
