from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import count, takewhile
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.block import BLOCK, RATE, Samples
from device.soundcard.tap import HISTORY, LEAN, SLACK, Tap

FRAMES = 480
LAG = FRAMES + SLACK
CODE = 30_000  # each sample tells its place in the speaker's stream, modulo this


def coded(position: int, length: int) -> Samples:
    return (np.arange(position, position + length) % CODE).astype(np.int16)


@dataclass
class Clocks:
    """A speaker and a microphone with clocks of their own, whose threads are late by chance."""

    speaker_ppm: float = 0.0
    microphone_ppm: float = 0.0
    phase: float = 0.003
    late: Callable[[], float] = lambda: 0.0
    stop: tuple[float, float] = (float("inf"), float("inf"))

    def speaker_calls(self) -> Iterator[tuple[float, str, int]]:
        pause = self.stop[1] - self.stop[0]
        for number in count():
            at = self.phase + number * FRAMES / (RATE * (1 + self.speaker_ppm * 1e-6))
            if at >= self.stop[0]:
                at += pause
            yield at + self.late(), "speaker", number * FRAMES

    def blocks(self) -> Iterator[tuple[float, str, int]]:
        for number in count():
            position = number * BLOCK
            end = 0.05 + (position + BLOCK) / (RATE * (1 + self.microphone_ppm * 1e-6))
            yield end + self.late(), "microphone", position

    def run(self, seconds: float, tap: Tap) -> list[tuple[float, Samples]]:
        """Return the time and the pair of each block."""
        calls, blocks = self.speaker_calls(), self.blocks()
        call, block = next(calls), next(blocks)
        pairs: list[tuple[float, Samples]] = []
        while min(call, block)[0] < seconds:
            if call < block:
                tap.write(coded(call[2], FRAMES).tobytes(), call[0])
                call = next(calls)
            else:
                pairs.append((block[0], tap.pair(block[2], BLOCK, block[0])))
                block = next(blocks)
        return pairs

    def lags(self, seconds: float, tap: Tap, after: float = 2.0) -> list[float]:
        """Return by how many samples each pair lags behind what the speaker's clock says at its end."""
        pairs = [(at, pair) for at, pair in self.run(seconds, tap) if at > after and (np.diff(pair) >= 0).all()]
        rate = RATE * (1 + self.speaker_ppm * 1e-6)
        return [((at - self.phase) * rate + FRAMES - int(pair[-1])) % CODE for at, pair in pairs]


def test_pairs_exactly_by_counter_where_the_clocks_agree() -> None:
    tap = Tap(FRAMES)
    pairs = [pair for _, pair in Clocks().run(3.0, tap)]

    stream = np.concatenate(pairs).astype(np.int32)
    steps = np.diff(stream) % CODE
    assert (steps == 1).all()
    assert (tap.missing, tap.drift, tap.jumps) == (0, 0, 0)


def test_lags_by_one_call_and_a_little() -> None:
    lags = Clocks().lags(5.0, Tap(FRAMES))

    assert min(lags) > FRAMES
    assert max(lags) < LAG + 5


@settings(max_examples=15, deadline=None)
@given(
    speaker=st.floats(-300, 300),
    microphone=st.floats(-300, 300),
    phase=st.floats(0, 0.01),
    seed=st.integers(0, 1000),
)
def test_drift_and_uneven_threads_neither_slip_nor_jump(
    speaker: float, microphone: float, phase: float, seed: int
) -> None:
    random = Random(seed)
    tap = Tap(FRAMES)
    clocks = Clocks(speaker, microphone, phase, late=lambda: random.expovariate(1 / 0.0005) % 0.003)

    lags = clocks.lags(40.0, tap)

    assert tap.jumps == 0
    assert tap.missing == 0
    assert max(abs(lag - LAG) for lag in lags) < 0.006 * RATE
    expected = (speaker - microphone) * 1e-6 * RATE * 40.0
    assert abs(tap.drift - expected) < 0.004 * RATE


def test_a_stretched_block_is_smooth() -> None:
    tap = Tap(FRAMES)
    pairs = [pair for _, pair in Clocks(speaker_ppm=300).run(20.0, tap)]

    whole = [pair for pair in pairs[10:] if pair.max() - pair.min() < 2 * BLOCK]
    assert tap.drift > 100
    assert set(np.diff(np.array(whole)).ravel().tolist()) == {1, 2}


def test_a_speaker_that_stands_still_gives_silence_and_is_found_again() -> None:
    tap = Tap(FRAMES)
    clocks = Clocks(stop=(3.0, 4.0))
    pairs = clocks.run(6.0, tap)

    amid = [pair for at, pair in pairs if 3.1 < at < 4.0]
    assert not np.concatenate(amid).any()
    after = [((at - 1.0 - clocks.phase) * RATE + FRAMES - int(pair[-1])) % CODE for at, pair in pairs if at > 4.5]
    assert max(abs(lag - LAG) for lag in after) < 20
    assert 1 <= tap.jumps <= 2


def test_a_speaker_that_lost_time_leaves_no_more_than_two_holes() -> None:
    tap = Tap(FRAMES)
    pairs = Clocks(stop=(3.0, 3.03)).run(6.0, tap)

    holes = [
        at for at, pair in pairs if at > 1.0 and not pair.all() and (np.diff(np.flatnonzero(pair == 0)) == 1).any()
    ]
    assert 1 <= len(holes) <= 2
    assert tap.jumps == 1
    assert 0 < tap.missing < 2 * BLOCK


def test_a_microphone_that_lost_time_is_followed_within_a_second() -> None:
    tap = Tap(FRAMES)
    clocks = Clocks()
    late = ((at + (0.03 if at > 3.0 else 0.0), what, position) for at, what, position in clocks.blocks())
    for at, what, position in takewhile(lambda event: event[0] < 6.0, merge(clocks.speaker_calls(), late)):
        if what == "speaker":
            tap.write(coded(position, FRAMES).tobytes(), at)
            continue
        pair = tap.pair(position, BLOCK, at)
        if at > 4.0 and (np.diff(pair) > 0).all():
            assert abs(((at - clocks.phase) * RATE + FRAMES - int(pair[-1])) % CODE - LAG) < 20
    assert tap.jumps == 1


def test_threads_that_are_very_late_at_times_do_not_lead_it_astray() -> None:
    random = Random(5)
    tap = Tap(FRAMES)

    Clocks(late=lambda: 0.015 if random.random() < 0.02 else 0.0005).run(40.0, tap)

    assert tap.jumps <= 2, "only where two calls on end were late"
    assert abs(tap.drift) < 2 * LEAN


def test_blocks_that_were_dropped_do_not_shift_the_rest() -> None:
    tap = Tap(FRAMES)
    for number in range(100):
        tap.write(coded(number * FRAMES, FRAMES).tobytes(), number * 0.01)
    first = tap.pair(0, BLOCK, 0.99)
    for number in range(100, 114):
        tap.write(coded(number * FRAMES, FRAMES).tobytes(), number * 0.01)
    later = tap.pair(7 * BLOCK, BLOCK, 0.99 + 7 * 0.02)

    assert (int(later[0]) - int(first[0])) % CODE == 7 * BLOCK


def test_a_late_event_loop_gets_the_same_pairs() -> None:
    tap = Tap(FRAMES)
    in_time = Clocks().run(1.0, Tap(FRAMES))
    for at, _, position in takewhile(lambda call: call[0] < 1.2, Clocks().speaker_calls()):
        tap.write(coded(position, FRAMES).tobytes(), at)

    for (at, pair), (_, _, position) in zip(in_time, Clocks().blocks(), strict=False):
        assert np.abs(tap.pair(position, BLOCK, at) - pair).max() <= 1


def test_nothing_is_known_before_the_speaker_is_called_and_long_ago() -> None:
    tap = Tap(FRAMES)
    assert not tap.pair(0, BLOCK, 1.0).any()

    for number in range(3 * HISTORY // FRAMES):
        tap.write(np.full(FRAMES, 7, np.int16).tobytes(), number * 0.01)
    assert tap.pair(0, BLOCK, 2.999 * HISTORY / RATE).all()
    assert not tap.lacks(0, BLOCK)
