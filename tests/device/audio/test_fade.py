from __future__ import annotations

import numpy as np

from device.audio.block import BLOCK
from device.audio.fade import EDGE, fade_in, fade_out, falling, ramp, taken_over

LOUD = np.full(BLOCK, 20_000, np.int16)


def test_a_beginning_rises_from_silence_and_the_rest_is_untouched() -> None:
    faded = fade_in(LOUD)
    assert faded[0] == 0
    assert np.all(np.diff(faded[:EDGE]) >= 0)
    assert np.array_equal(faded[EDGE:], LOUD[EDGE:])


def test_an_end_falls_to_silence() -> None:
    assert fade_out(LOUD)[-1] == 0
    assert np.all(np.diff(fade_out(LOUD)) <= 0)
    assert np.array_equal(fade_out(LOUD, 100)[:-100], LOUD[:-100])


def test_short_and_empty_sounds_are_faded_too_and_the_original_is_kept() -> None:
    assert fade_in(LOUD[:10]).shape == (10,)
    assert fade_out(LOUD[:0]).shape == (0,)
    assert LOUD.min() == 20_000


def test_what_takes_over_is_laid_over_what_would_have_gone_on() -> None:
    joined = taken_over(LOUD, LOUD)
    assert joined.shape == LOUD.shape
    assert np.abs(joined[:EDGE].astype(int) - 20_000).max() <= 2, "two equal sounds add up to one"
    after = taken_over(LOUD, np.zeros(BLOCK, np.int16))
    assert after[0] == 20_000
    assert np.all(np.diff(after[:EDGE]) <= 0)
    assert not after[EDGE:].any()


def test_nothing_before_leaves_what_takes_over_as_it_is() -> None:
    assert taken_over(LOUD[:0], LOUD) is LOUD
    assert np.array_equal(taken_over(LOUD[:10], LOUD)[10:], LOUD[10:])


def test_a_fall_in_pieces_is_the_fall_in_one() -> None:
    whole = falling(np.tile(LOUD, 4), -BLOCK, 2 * BLOCK)
    pieces = [falling(LOUD, place * BLOCK, 2 * BLOCK) for place in (-1, 0, 1, 2)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal(whole[:BLOCK], LOUD), "it has not begun"
    assert whole[2 * BLOCK] == 10_000, "half of it is over"
    assert not whole[3 * BLOCK :].any()


def test_a_fall_may_begin_within_a_piece() -> None:
    fallen = falling(LOUD, -100, BLOCK)
    assert np.array_equal(fallen[:100], LOUD[:100])
    assert np.all(np.diff(fallen[100:]) <= 0)


def test_a_ramp_has_both_its_ends_and_even_steps() -> None:
    gains = ramp(0.25, 1.0, 4)
    assert gains.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert gains.dtype == np.float32
    assert ramp(1.0, 0.0, 2).tolist() == [1.0, 0.0]
    assert ramp(0.5, 1.0, 0).size == 0
