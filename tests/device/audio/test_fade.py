from __future__ import annotations

import numpy as np

from device.audio.block import BLOCK
from device.audio.fade import EDGE, fade_in, fade_out

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
