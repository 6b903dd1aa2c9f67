from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.block import Samples
from device.soundcard.ring import SpeakerRing


def ramp(count: int, start: int = 1) -> Samples:
    return np.arange(start, start + count, dtype=np.int16)


def pulled(ring: SpeakerRing, count: int) -> Samples:
    return np.frombuffer(ring.pull(count), np.int16)


def test_pulls_what_was_played_in_any_pieces() -> None:
    ring = SpeakerRing(limit=1000)
    ring.play(ramp(300))
    ring.play(ramp(200, 301))

    taken = np.concatenate([pulled(ring, 120) for _ in range(4)])

    np.testing.assert_array_equal(taken, ramp(480))
    assert ring.queued == 20
    assert ring.underruns == 0


def test_fills_with_zeros_and_counts_each_time_it_runs_dry() -> None:
    ring = SpeakerRing()
    ring.pull(480)
    assert ring.underruns == 0, "silence before any sound is not an underrun"

    ring.play(ramp(500))
    ring.pull(480)
    np.testing.assert_array_equal(pulled(ring, 480), np.concatenate((ramp(20, 481), np.zeros(460, np.int16))))
    ring.pull(480)
    assert ring.underruns == 1

    ring.play(ramp(480))
    ring.pull(480)
    ring.pull(480)
    assert ring.underruns == 2, "a sound that ends with a piece leaves the next one empty"


def test_flush_drops_what_waits_and_is_not_an_underrun() -> None:
    ring = SpeakerRing()
    ring.play(ramp(1000))
    ring.pull(480)

    assert ring.flush() == 520
    assert ring.queued == 0
    assert not pulled(ring, 480).any()
    assert ring.underruns == 0

    ring.play(ramp(480))
    np.testing.assert_array_equal(pulled(ring, 480), ramp(480))


@pytest.mark.parametrize("pieces", [[150] * 10, [1500], [90, 1410]])
def test_too_much_drops_the_oldest_and_counts_them(pieces: list[int]) -> None:
    ring = SpeakerRing(limit=1000)
    start = 1
    for piece in pieces:
        ring.play(ramp(piece, start))
        start += piece

    assert ring.queued == 1000
    assert ring.overflowed == 500
    np.testing.assert_array_equal(pulled(ring, 1000), ramp(1000, 501))


@given(
    st.lists(st.one_of(st.integers(1, 400).map(lambda n: ("play", n)), st.integers(1, 300).map(lambda n: ("pull", n))))
)
def test_loses_nothing_and_invents_nothing(steps: list[tuple[str, int]]) -> None:
    ring = SpeakerRing(limit=500)
    model: list[int] = []
    count = dropped = 0
    for what, length in steps:
        if what == "play":
            piece = [1 + (count + index) % 30_000 for index in range(length)]
            ring.play(np.array(piece, np.int16))
            count += length
            model += piece
            dropped += max(0, len(model) - 500)
            model = model[-500:]
        else:
            expected, model = model[:length], model[length:]
            assert pulled(ring, length).tolist() == expected + [0] * (length - len(expected))
        assert ring.queued == len(model)
    assert ring.overflowed == dropped
