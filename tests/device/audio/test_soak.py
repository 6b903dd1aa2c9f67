"""Two hours of talk in simulated time: decisions only, because what is decoded does not matter here."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, CALL_SECONDS, RATE
from device.audio.delay import PlayoutDelay
from device.soundcard.refill import SHORTEST_LEAD, Refill

HOURS = 2
PPM = 200e-6


@pytest.mark.parametrize("ppm", [PPM, -PPM])
def test_two_hours_of_a_sender_with_another_clock_keep_the_wait_bounded_by_whole_calls(ppm: float) -> None:
    random, delay = Random(1), PlayoutDelay()
    position, waits, changes = 0.0, list[float](), 0
    for tick in range(0, round(HOURS * 3600 / BLOCK_SECONDS), 5):  # every fifth packet and tick: the clocks are steady
        now = tick * BLOCK_SECONDS
        delay.arrived(now + random.random() * 0.004, round(tick * BLOCK * (1 + ppm)), BLOCK)
        delay.tick(now)
        surplus = delay.surplus(round(position), 0, at_leisure=True) if tick else 0
        position += 5 * BLOCK + surplus
        delay.handed(5 * BLOCK)
        changes += bool(surplus)
        waits.append(delay.waiting(round(position)))
    settled = np.array(waits[100:])
    assert settled.min() > 0.0
    assert settled.max() < 0.025, settled.max()
    expected = HOURS * 3600 * PPM / CALL_SECONDS
    assert abs(changes - expected) < 0.2 * expected + 5


@pytest.mark.parametrize("ppm", [PPM, -PPM])
def test_two_hours_of_a_speaker_with_another_clock_never_run_dry_nor_fill_the_ring(ppm: float) -> None:
    refill, queued, taken, late = Refill(CALL), 0, 0, Random(1)
    now, call = 0.0, 0.0
    fullest = 0
    while now < HOURS * 3600:
        refill.called(CALL, call)
        due = refill.due(queued, call)
        assert due is not None
        now = call + max(0.0, due) + late.random() * 0.8 * SHORTEST_LEAD
        call += CALL_SECONDS / (1 + ppm)
        if queued < CALL:
            assert now < call, "more came too late for the call"
            queued += BLOCK
        queued -= CALL
        taken += CALL
        fullest = max(fullest, queued)
    assert fullest == BLOCK - CALL
    assert taken == pytest.approx(now * RATE * (1 + ppm), rel=1e-6)
