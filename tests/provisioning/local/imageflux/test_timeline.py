from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.imageflux.timeline import FURTHEST, PATIENCE, Placement, Timeline, Unwrapped

RATE = 48_000
PACKET = 960


def test_packets_in_a_row_lie_in_a_row_however_late_they_come() -> None:
    timeline = Timeline(0.0)
    for number, delay in enumerate([0.0, 0.15, 0.01, 0.19, 0.0]):
        assert timeline.place(7_000 + number * PACKET, PACKET, number * 0.02 + delay) == Placement(0, 0)
        assert timeline.silence_due(number * 0.02 + delay + 0.01) == 0
    assert timeline.position == 5 * PACKET


def test_a_lost_packet_is_a_gap_of_its_length() -> None:
    timeline = Timeline(0.0)
    timeline.place(0, PACKET, 0.0)
    assert timeline.place(2 * PACKET, PACKET, 0.04) == Placement(silence=PACKET, skip=0)
    assert timeline.position == 3 * PACKET


def test_the_first_packet_lies_where_the_clock_is() -> None:
    timeline = Timeline(10.0)
    assert timeline.place(123, PACKET, 10.12) == Placement(silence=int(0.12 * RATE) - PACKET, skip=0)


def test_silence_comes_after_a_while_and_then_keeps_up_with_the_clock() -> None:
    timeline = Timeline(0.0)
    timeline.place(0, PACKET, 0.0)
    assert timeline.silence_due(PATIENCE) == 0
    assert timeline.silence_due(PATIENCE + 5.0) == 5 * RATE
    assert timeline.silence_due(PATIENCE + 5.0) == 0


def test_a_programme_without_any_packet_is_silence_from_its_beginning() -> None:
    timeline = Timeline(100.0)
    assert timeline.silence_due(101.0 + PATIENCE) == RATE


def test_sound_after_a_pause_is_heard_when_it_is_said() -> None:
    timeline = Timeline(0.0)
    timeline.place(0, PACKET, 0.0)
    timeline.silence_due(0.9)
    later = int(0.92 * RATE)
    placed = timeline.place(later, PACKET, 0.92)
    assert placed.skip == 0
    assert timeline.position == later + PACKET


def test_what_comes_after_it_was_replaced_by_silence_is_dropped() -> None:
    timeline = Timeline(0.0)
    timeline.place(0, PACKET, 0.0)
    silent = timeline.silence_due(0.25 + PATIENCE)
    assert silent == int(0.25 * RATE)
    assert timeline.place(PACKET, PACKET, 0.5) == Placement(silence=0, skip=PACKET)
    after = PACKET + silent - silent % PACKET
    assert timeline.place(after, PACKET, 0.5) == Placement(silence=0, skip=silent % PACKET)


@pytest.mark.parametrize("jump", [FURTHEST + PACKET + 1, -FURTHEST - PACKET - 1, 10**9])
def test_a_far_jump_is_a_new_beginning_without_a_gap(jump: int) -> None:
    timeline = Timeline(0.0)
    timeline.place(0, PACKET, 0.0)
    assert timeline.place(PACKET + jump, PACKET, 0.02) == Placement(0, 0)
    assert timeline.place(2 * PACKET + jump, PACKET, 0.04) == Placement(0, 0)


steps = st.tuples(st.floats(0, 2), st.integers(-3 * RATE, 3 * RATE), st.sampled_from([120, 960, 5760]))


@given(st.lists(steps, max_size=60))
def test_the_programme_only_grows_and_by_what_was_said(history: list[tuple[float, int, int]]) -> None:
    timeline, now, timestamp = Timeline(0.0), 0.0, 0
    for pause, step, samples in history:
        now, timestamp, before = now + pause, timestamp + step, timeline.position
        silence = timeline.silence_due(now)
        placed = timeline.place(timestamp, samples, now)
        assert 0 <= placed.silence <= FURTHEST
        assert 0 <= placed.skip <= samples
        assert timeline.position == before + silence + placed.silence + samples - placed.skip
        assert silence <= pause * RATE + 1


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-(2**20), 2**20), max_size=50))
def test_unwrapped_timestamps_follow_every_step(first: int, differences: list[int]) -> None:
    unwrapped = Unwrapped()
    wanted = unwrapped(first)
    for difference in differences:
        wanted += difference
        assert unwrapped(wanted % 2**32) == wanted
