"""Two hours of talk in simulated time: decisions and ring levels only, because what is decoded does not matter here."""

from __future__ import annotations

from itertools import accumulate
from random import Random

import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS
from device.audio.delay import PlayoutDelay
from device.audio.playout import FEWEST_QUEUED, MOST_QUEUED, RingLevel

HOURS = 2
PPM = 200e-6


def test_two_hours_of_a_sender_with_another_clock_keep_the_wait_bounded_by_whole_blocks() -> None:
    random, delay = Random(1), PlayoutDelay()
    position, waits, changes = 0.0, list[float](), 0
    for tick in range(0, round(HOURS * 3600 / BLOCK_SECONDS), 5):  # every fifth packet and tick: the clocks are steady
        now = tick * BLOCK_SECONDS
        delay.arrived(now + random.random() * 0.004, round(tick * BLOCK * (1 + PPM)), BLOCK)
        for _ in range(5):
            delay.tick(now)
        position += 5 * BLOCK
        surplus = delay.surplus(round(position) - 5 * BLOCK, 0) if tick else 0
        position += surplus
        changes += bool(surplus)
        waits.append(delay.waiting(round(position) - 5 * BLOCK))
    settled = np.array(waits[100:])
    assert settled.min() > 0.0
    assert settled.max() < 0.035, settled.max()
    expected = HOURS * 3600 * PPM / BLOCK_SECONDS
    assert abs(changes - expected) < 0.2 * expected + 5


def test_two_hours_of_a_speaker_with_another_clock_leave_the_ring_as_it_was() -> None:
    level, queued = RingLevel(), FEWEST_QUEUED
    taken = (round(count) for count in accumulate([BLOCK * (1 + PPM)] * round(HOURS * 3600 / BLOCK_SECONDS)))
    before, lowest, highest = 0, MOST_QUEUED, 0
    for total in taken:
        level.add(queued, 0)
        moved = int(np.sign(-level.off)) if abs(level.off) > 120 else 0
        level.moved(moved)
        queued += BLOCK + moved - (total - before)
        before = total
        lowest, highest = min(lowest, queued), max(highest, queued)
    assert lowest > FEWEST_QUEUED - 240
    assert highest < FEWEST_QUEUED + 240
