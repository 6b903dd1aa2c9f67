from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, RATE
from device.audio.delay import FIRST_DELAY
from device.audio.jitter import FADE, LONGEST_BACKLOG, LONGEST_CONCEALMENT, JitterBuffer, Kind
from tests.device.audio.network import Packet, decoded, delays, on_time, payload_of, play

lateness = st.one_of(st.none(), st.just(0.0), st.floats(0.0, 0.4))
networks = st.lists(st.tuples(lateness, st.booleans()), min_size=1, max_size=150)


def arrivals(network: list[tuple[float | None, bool]]) -> list[Packet]:
    once = on_time(len(network), lambda index: network[index][0])
    again = [Packet(packet.index, packet.at + 0.03) for packet in once if network[packet.index][1]]
    return once + again


@given(networks, st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.floats(0, 0.0199))
@example([(0.0, True)] * 60, 0xFFF0, 0xFFFFFFFF - 20 * BLOCK, 0.0)
def test_packets_are_played_in_order_once_and_never_too_late(
    network: list[tuple[float | None, bool]], sequence: int, timestamp: int, phase: float
) -> None:
    buffer = JitterBuffer()
    packets = arrivals(network)
    decisions = play(buffer, packets, len(network) + 60, sequence=sequence, timestamp=timestamp, phase=phase)
    order = decoded(decisions)
    assert order == sorted(set(order)), "out of order or twice"
    arrived = {packet.index: packet.at for packet in reversed(packets)}
    assert all(arrived[d.index] <= d.at for d in decisions if d.index is not None), "before it came"
    for decision in decisions:
        if decision.outcome.kind is Kind.DECODE and decision.index is not None:
            newest = max(packet.index for packet in packets if packet.at <= decision.at)
            assert (newest - decision.index) * BLOCK <= LONGEST_BACKLOG, "held up for too long"
    assert decisions[-1].outcome.kind is Kind.SILENCE
    counters = buffer.counters
    assert counters.received == counters.decoded + counters.late + counters.duplicate + counters.skipped


@given(networks, st.floats(0, 0.0199))
def test_nothing_is_made_up_but_for_what_is_missing(network: list[tuple[float | None, bool]], phase: float) -> None:
    decisions = play(JitterBuffer(), arrivals(network), len(network) + 60, phase=phase)
    played = decoded(decisions)
    for before, after in pairwise(decisions):
        if before.outcome.kind is Kind.RECOVER:
            assert after.index == before.index, "the copy belongs to the frame before the packet it is in"
            assert before.index is not None
            assert before.index - 1 not in played


@given(st.integers(30, 200), st.floats(0, 0.0199), st.integers(0, 0xFFFF))
@settings(max_examples=40)
def test_a_lost_packet_is_recovered_and_leaves_the_delay_as_it_was(lost: int, phase: float, sequence: int) -> None:
    buffer = JitterBuffer()
    decisions = play(
        buffer, on_time(300, lambda index: None if index == lost else 0.0), 290, phase=phase, sequence=sequence
    )
    later = delays(decisions)
    assert later[lost + 1] == pytest.approx(later[lost - 1])
    assert later[280] == pytest.approx(later[lost - 1])
    assert (buffer.counters.recovered, buffer.counters.concealed, buffer.counters.dry) == (1, 0, 0)


@given(st.integers(30, 100), st.integers(2, 30))
@settings(max_examples=40)
def test_a_lost_burst_leaves_the_delay_as_it_was(first: int, count: int) -> None:
    decisions = play(JitterBuffer(), on_time(400, lambda index: None if first <= index < first + count else 0.0), 390)
    later = delays(decisions)
    assert abs(later[380] - later[first - 1]) <= BLOCK_SECONDS + 1e-9


@pytest.mark.parametrize("wrap_at", [99, 100, 101])
def test_a_packet_lost_where_the_timestamp_wraps_is_recovered(wrap_at: int) -> None:
    buffer = JitterBuffer()
    timestamp = (0x1_0000_0000 - wrap_at * BLOCK) & 0xFFFFFFFF
    play(buffer, on_time(200, lambda index: None if index == 100 else 0.0), 200, timestamp=timestamp)
    assert buffer.counters.recovered == 1
    assert buffer.delay.target == pytest.approx(0.025)


def test_a_packet_that_was_given_up_is_refused_when_it_comes() -> None:
    buffer = JitterBuffer()
    for index in (0, 1, 2, 6, 7):
        buffer.put(index, index * BLOCK, payload_of(index), 0.0)
    buffer.tick(0.1)
    assert [buffer.pull(0.1).kind for _ in range(4)] == [Kind.DECODE] * 3 + [Kind.CONCEAL]
    buffer.put(3, 3 * BLOCK, payload_of(3), 0.1)
    assert [buffer.pull(0.1).kind for _ in range(4)] == [Kind.CONCEAL, Kind.RECOVER, Kind.DECODE, Kind.DECODE]
    assert buffer.counters.late == 1


def test_the_first_packet_waits_forty_milliseconds() -> None:
    first = delays(play(JitterBuffer(), on_time(50), 50))[0]
    assert FIRST_DELAY <= first < FIRST_DELAY + BLOCK_SECONDS


def test_the_target_follows_jitter_up_and_down() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(300), 300)
    assert buffer.delay.target == pytest.approx(0.005)
    buffer = JitterBuffer()
    play(buffer, on_time(100, lambda index: 0.06 if index % 7 == 0 else 0.0), 100)
    assert buffer.delay.target == pytest.approx(0.065)
    play(buffer, on_time(300), 300, sequence=1000, timestamp=10_000_000)
    assert buffer.delay.target == pytest.approx(0.005)


def test_a_stall_grows_the_delay_at_once_and_nothing_is_lost() -> None:
    def stalled(index: int) -> float:
        return max(0.0, 102 * BLOCK_SECONDS - index * BLOCK_SECONDS) if 96 <= index < 102 else 0.0

    decisions = play(JitterBuffer(), on_time(200, stalled), 200)
    assert set(range(190)) <= set(decoded(decisions))
    assert delays(decisions)[150] > delays(decisions)[90]


def test_an_isolated_stall_does_not_raise_the_target() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(200, lambda index: 0.08 if index == 100 else 0.0), 200)
    assert buffer.delay.target == pytest.approx(0.025)


def test_a_sender_that_pauses_and_whose_timestamps_pause_too_is_heard_from_its_first_packet_on() -> None:
    packets = on_time(100) + [Packet(index, index * BLOCK_SECONDS + 3.0) for index in range(100, 200)]
    decisions = play(JitterBuffer(), packets, 360)
    assert decoded(decisions) == list(range(200))
    assert delays(decisions)[199] - 3.0 <= FIRST_DELAY + BLOCK_SECONDS


def test_a_sender_that_pauses_and_whose_timestamps_go_on_is_heard_from_its_first_packet_on() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(300), 400)
    buffer.put(300, 500 * BLOCK, payload_of(300), 500 * BLOCK_SECONDS)
    buffer.put(301, 501 * BLOCK, payload_of(301), 501 * BLOCK_SECONDS)
    kinds = [buffer.pull(500 * BLOCK_SECONDS + wait).kind for wait in (0.02, 0.04, 0.06)]
    assert kinds == [Kind.DECODE, Kind.DECODE, Kind.CONCEAL]


def test_without_packets_sound_is_made_up_for_as_long_as_it_takes_to_fade_and_then_there_is_silence() -> None:
    kinds = [d.outcome.kind for d in play(JitterBuffer(), on_time(20), 80)]
    last = max(place for place, kind in enumerate(kinds) if kind is Kind.DECODE)
    calls = (LONGEST_CONCEALMENT + FADE) // CALL
    assert kinds[last + 1 : last + calls + 2] == [Kind.CONCEAL] * calls + [Kind.SILENCE]


def test_a_sender_that_starts_anew_is_followed_after_its_second_packet() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(50), 50, sequence=40_000)
    decisions = play(buffer, on_time(50), 60, sequence=5_000, timestamp=77)
    assert decoded(decisions)[-49:] == list(range(1, 50))
    assert buffer.counters.late == 1


def test_a_packet_from_another_time_is_refused() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(50), 45)
    buffer.put(30_000, 0, payload_of(999), 1.0)
    assert 999 not in decoded(play(buffer, on_time(0), 20))


def test_a_sender_whose_timestamps_jump_is_played_on_at_once() -> None:
    buffer = JitterBuffer()
    before = play(buffer, on_time(50), 50)
    after = play(buffer, on_time(50), 60, sequence=50, timestamp=3_000_000_000)
    assert len(decoded(before)) + len(decoded(after)) == 100


def test_what_waits_is_bounded_though_nobody_pulls() -> None:
    buffer = JitterBuffer()
    for index in range(2000):
        buffer.put(index, index * BLOCK, payload_of(index), index * BLOCK_SECONDS)
    buffer.tick(40.0)
    first = buffer.pull(40.0)
    assert (1999 * BLOCK - int.from_bytes(first.payload[1:], "big") * BLOCK) <= LONGEST_BACKLOG
    assert buffer.counters.skipped > 1900


def test_malformed_payloads_are_counted_and_concealed_like_losses() -> None:
    buffer = JitterBuffer()
    for index in range(10):
        buffer.put(index, index * BLOCK, b"" if index == 5 else payload_of(index), index * BLOCK_SECONDS)
    buffer.tick(0.2)
    kinds = [buffer.pull(0.2).kind for _ in range(10)]
    assert kinds == [Kind.DECODE] * 5 + [Kind.RECOVER] + [Kind.DECODE] * 4
    assert buffer.counters.malformed == 1


def test_flushing_drops_what_waits_and_refuses_what_comes_late() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(20), 18)
    buffer.flush()
    assert buffer.pull(0.4).kind is Kind.SILENCE
    buffer.put(15, 15 * BLOCK, payload_of(15), 0.41)
    assert buffer.pull(1.0).kind is Kind.SILENCE
    buffer.put(25, 25 * BLOCK, payload_of(25), 1.0)
    assert buffer.pull(1.0 + FIRST_DELAY).kind is Kind.DECODE


@pytest.mark.parametrize(("first_byte", "samples"), [(0x00, 480), (0x10, 1920), (0x18, 2880)])
def test_packets_of_other_durations_are_played_gaplessly_and_recovered_whole(first_byte: int, samples: int) -> None:
    buffer = JitterBuffer()
    outcomes = []
    for index in (0, 1, 2, 4, 5, 6):
        payload = bytes([first_byte]) + index.to_bytes(4, "big")
        buffer.put(index, index * samples, payload, index * samples / RATE)
    for _ in range(7):
        buffer.tick(1.0)
        outcomes.append(buffer.pull(1.0))
    assert [outcome.samples for outcome in outcomes] == [samples] * 7
    assert [outcome.kind for outcome in outcomes] == [Kind.DECODE] * 3 + [Kind.RECOVER] + [Kind.DECODE] * 3


def test_a_sender_that_left_out_silence_has_lost_nothing_and_its_silence_is_filled() -> None:
    buffer = JitterBuffer()
    for index, place in enumerate((0, 1, 2, 5, 6)):
        buffer.put(index, place * BLOCK, payload_of(index), place * BLOCK_SECONDS)
    buffer.tick(0.2)
    outcomes = [buffer.pull(0.2) for _ in range(7)]
    assert [outcome.kind for outcome in outcomes] == [Kind.DECODE] * 3 + [Kind.CONCEAL] * 2 + [Kind.DECODE] * 2
    assert [outcome.samples for outcome in outcomes] == [BLOCK] * 7
    counters = buffer.counters
    assert (counters.decoded, counters.concealed, counters.recovered, counters.dry, counters.late) == (5, 2, 0, 0, 0)
    assert counters.spurts == 1


def test_of_a_burst_the_last_is_recovered_and_the_others_are_made_up() -> None:
    buffer = JitterBuffer()
    for index in (0, 1, 5, 6):
        buffer.put(index, index * BLOCK, payload_of(index), index * BLOCK_SECONDS)
    buffer.tick(0.2)
    kinds = [buffer.pull(0.2).kind for _ in range(7)]
    assert kinds == [Kind.DECODE] * 2 + [Kind.CONCEAL] * 2 + [Kind.RECOVER] + [Kind.DECODE] * 2
    assert (buffer.counters.concealed, buffer.counters.recovered) == (2, 1)


def test_sound_begins_anew_after_each_silence() -> None:
    buffer = JitterBuffer()
    play(buffer, on_time(50), 80)
    assert buffer.counters.spurts == 1
    play(
        buffer, [Packet(index, 3.0 + index * BLOCK_SECONDS) for index in range(50)], 260, sequence=50, timestamp=48_000
    )
    assert buffer.counters.spurts == 2


@pytest.mark.parametrize(("ahead", "followed"), [(3000, True), (3001, False), (-100, True), (-101, False)])
def test_how_far_a_packet_may_be_ahead_or_behind(ahead: int, followed: bool) -> None:
    buffer = JitterBuffer()
    buffer.put(20_000, 0, payload_of(0), 0.0)
    buffer.put(20_000 + ahead, ahead * BLOCK & 0xFFFFFFFF, payload_of(1), 0.01)
    refused = buffer.counters.late
    assert (refused == 0) is (followed and ahead > -101)
    assert buffer._odd == (None if followed else 20_000 + ahead + 1)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.binary(max_size=4)), max_size=60))
def test_whatever_arrives_nothing_breaks_and_everything_is_counted(packets: list[tuple[int, int, bytes]]) -> None:
    buffer = JitterBuffer()
    for number, (sequence, timestamp, payload) in enumerate(packets):
        buffer.put(sequence, timestamp, payload, number * 0.01)
        buffer.tick(number * 0.01)
        outcome = buffer.pull(number * 0.01)
        assert outcome.samples > 0
        assert (outcome.kind in {Kind.DECODE, Kind.RECOVER}) is bool(outcome.payload)
        assert not outcome.payload or any(outcome.payload == sent for _, _, sent in packets)
        buffer.handed(outcome.samples)
    counters = buffer.counters
    assert counters.received == len(packets)
    refused = counters.malformed + counters.late + counters.duplicate + counters.skipped
    assert counters.received - refused - counters.decoded >= 0, "what still waits, or was forgotten by a new beginning"
