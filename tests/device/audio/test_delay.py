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


def test_stalls_are_remembered_for_fourteen_seconds_and_the_worst_one_alone_is_not() -> None:
    stall = [0.06, 0.04, 0.02, *[0.0] * 22]
    twice = [0.0] * SETTLED + stall * 2
    first = SETTLED * BLOCK_SECONDS  # when the first of both began; the other alone says nothing
    for seconds, target in ((13.7, 0.065), (14.3, 0.005)):
        quiet = round((seconds - 2 * len(stall) * BLOCK_SECONDS) / BLOCK_SECONDS)
        delay = fed([*twice, *[0.0] * quiet])
        assert first + seconds == pytest.approx((len(twice) + quiet) * BLOCK_SECONDS)
        assert delay.target == pytest.approx(target)


def test_only_a_step_of_more_than_80_ms_is_a_sender_that_paused() -> None:
    assert fed([0.0] * SETTLED + [0.079] * 30).target == pytest.approx(0.084), "a network that has become slower"
    assert fed([0.0] * SETTLED + [0.081] * 30).target == pytest.approx(0.005)


def test_only_a_step_of_more_than_half_a_second_is_another_clock() -> None:
    steady = [0.0] * SETTLED
    assert fed([*steady, 0.499, *[0.0] * 60, 0.499, *[0.0] * 60]).target == LONGEST_TARGET
    assert fed([*steady, 0.501, *[0.0] * 60, 0.501, *[0.0] * 60]).target == pytest.approx(0.005)


@pytest.mark.parametrize(("after", "surplus"), [(3.3, 0), (3.7, 3 * CALL)])
def test_after_a_stall_nothing_is_made_good_for_three_and_a_half_seconds(after: float, surplus: int) -> None:
    delay = fed([0.0] * SETTLED + [0.1, 0.08, 0.06, 0.04, 0.02] + [0.0] * 300)
    at = (SETTLED + 4) * BLOCK_SECONDS + 0.02 + after  # it was the last packet of the stall that was too late
    delay.tick(at)
    assert delay.surplus(round((at - 0.04) * 48_000), 0, at_leisure=False) == surplus


def test_losses_are_waited_for_ten_seconds_after_the_last() -> None:
    delay = fed([0.0] * SETTLED)
    for lost_at in (6.0, 8.0):
        delay.tick(lost_at)
        delay.lost()
    for now, target in ((17.98, 0.025), (18.02, 0.005)):
        delay.arrived(now, round(now * 48_000), BLOCK)
        assert delay.target == pytest.approx(target)


@pytest.mark.parametrize(("after", "waits"), [(36, 0.05), (56, 0.03)])
def test_what_the_network_does_at_best_is_forgotten_after_a_second(after: int, waits: float) -> None:
    delay = fed([0.0] * 100 + [0.02] * after)
    now = (100 + after) * BLOCK_SECONDS
    delay.tick(now)
    assert delay.waiting(round((now - 0.05) * 48_000)) == pytest.approx(waits, abs=1e-4)


@pytest.mark.parametrize(("packets", "known"), [(9, False), (13, True)])
def test_nothing_is_corrected_before_there_are_six_tenths_of_a_second_of_evidence(packets: int, known: bool) -> None:
    delay = PlayoutDelay()
    for index in range(packets):
        delay.arrived(index * 0.06, index * 2880, 2880)
    now = packets * 0.06
    delay.tick(now)
    assert (delay.surplus(round((now - 0.2) * 48_000), 0, at_leisure=True) > 0) is known


@pytest.mark.parametrize(("ticks", "waits"), [(49, 0.02), (50, 0.03)])
def test_of_late_ticks_the_earliest_of_fifty_counts(ticks: int, waits: float) -> None:
    delay = fed([0.0] * 50)
    delay.tick(1.0 - 0.01)
    for tick in range(ticks):
        delay.handed(BLOCK)
        delay.tick(1.0 + (tick + 1) * BLOCK_SECONDS)
    position = round((1.0 - 0.03) * 48_000) + ticks * BLOCK
    assert delay.waiting(position) == pytest.approx(waits, abs=1e-4)


def test_what_is_handed_out_is_waited_for_no_longer() -> None:
    delay = fed([0.03] * 50)
    delay.tick(1.03)
    position = round(0.95 * 48_000)
    assert delay.waiting(position) == pytest.approx(0.05, abs=1e-4), "it was late by 30 ms anyway"
    delay.handed(BLOCK)
    assert delay.waiting(position) == pytest.approx(0.07, abs=1e-4)
    assert delay.waiting(position + BLOCK) == pytest.approx(0.05, abs=1e-4)
