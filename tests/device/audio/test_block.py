"""The unit of all sound: its figures agree, and the silence that everybody shares cannot be spoilt."""

from __future__ import annotations

import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, CALL_SECONDS, RATE, SILENCE, Block


def test_a_block_is_20_ms_and_two_calls_of_the_speaker() -> None:
    assert (RATE, BLOCK_SECONDS, CALL_SECONDS) == (48_000, 0.02, 0.01)
    assert BLOCK == 2 * CALL == round(BLOCK_SECONDS * RATE)


def test_silence_stays_silent_whoever_has_it() -> None:
    assert SILENCE.shape == (BLOCK,)
    assert SILENCE.dtype == np.int16
    assert not SILENCE.any()
    with pytest.raises(ValueError, match="read-only"):
        SILENCE[0] = 1


def test_a_block_is_itself_and_no_other_that_sounds_alike() -> None:
    one, other = Block(SILENCE, SILENCE, 0.0), Block(SILENCE, SILENCE, 0.0)
    assert one != other
    assert len({one, other}) == 2
