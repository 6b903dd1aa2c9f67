"""Two hours of talk in simulated time: decisions only, because what is decoded does not matter here."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, CALL_SECONDS, RATE
from device.audio.delay import PlayoutDelay
from device.audio.jitter import LONGEST_BACKLOG, JitterBuffer, Kind
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


class Weather:
    """A network for hours: jitter, losses alone and in bursts, stalls, copies, and packets that overtake one another."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._lost_until = self._stalled_until = 0.0
        self.lost = 0

    def arrivals(self, at: float) -> list[float]:
        """Return when what is sent `at` arrives: never, once, or twice."""
        chance = self._chance
        if chance.random() < 0.0005:
            self._lost_until = at + chance.uniform(0.06, 0.6)
        if chance.random() < 0.0003:
            self._stalled_until = at + chance.uniform(0.1, 0.4)
        if at < self._lost_until or chance.random() < 0.01:
            self.lost += 1
            return []
        late = chance.expovariate(1 / 0.008) + (0.15 if chance.random() < 0.002 else 0.0)
        arrives = max(at + late, self._stalled_until)
        return [arrives, arrives + 0.02] if chance.random() < 0.01 else [arrives]


LONG_FRAME = 12 * CALL
"""Samples in a packet of 120 ms, the longest there is: two hours are 60,000 of those."""


class Listening:
    """A sender with a clock of its own, a network, and a buffer that is pulled by the speaker's clock."""

    def __init__(self, seed: int) -> None:
        self.buffer, self.weather = JitterBuffer(), Weather(seed)
        self.sent = self._handed = 0
        self.played, self.waits = list[int](), list[float]()
        self._coming: list[tuple[float, int]] = []
        self._newest = -1

    @property
    def now(self) -> float:
        return self._handed / RATE

    def step(self) -> None:
        """Let come what has come by now, and hand out the next frame."""
        self._receive()
        self.buffer.tick(self.now)
        outcome = self.buffer.pull(self.now)
        left_out = 0
        if outcome.kind is Kind.DECODE:
            self.played.append(int.from_bytes(outcome.payload[1:], "big"))
            assert (self._newest - self.played[-1]) * LONG_FRAME <= LONGEST_BACKLOG, "held up for too long"
            left_out = min(self.buffer.surplus(outcome.samples, 0, at_leisure=True), outcome.samples - CALL)
            self.waits.append(self.buffer.waiting(0))
        self.buffer.handed(outcome.samples - left_out)
        self._handed += outcome.samples - left_out

    def _receive(self) -> None:
        while (due := self.sent * LONG_FRAME / RATE * (1 + PPM)) <= self.now:
            for arrives in self.weather.arrivals(due):
                heappush(self._coming, (arrives, self.sent))
            self.sent += 1
        while self._coming and self._coming[0][0] <= self.now:
            arrived, index = heappop(self._coming)
            self._newest = max(self._newest, index)
            payload = b"\x19" + index.to_bytes(4, "big")  # SILK, narrowband, twice 60 ms
            timestamp = (0xFFFF_0000 + index * LONG_FRAME) & 0xFFFF_FFFF
            self.buffer.put((0xFF00 + index) & 0xFFFF, timestamp, payload, arrived)


def test_two_hours_of_a_bad_network_stay_in_order_in_time_and_make_up_only_what_is_missing() -> None:
    talk = Listening(7)
    while talk.now < HOURS * 3600:
        talk.step()
    counters, lost = talk.buffer.counters, talk.weather.lost
    assert all(before < after for before, after in pairwise(talk.played)), "out of order or twice"
    refused = counters.late + counters.duplicate + counters.skipped
    assert counters.received - counters.decoded - refused == len(talk.buffer._packets)
    assert len(talk.played) > 0.97 * talk.sent
    made_up = counters.recovered + counters.concealed / 6 + counters.dry / 12  # packets' worth
    assert made_up < 1.5 * lost, (made_up, lost)
    assert counters.recovered > 0.3 * lost, "most losses come alone"
    settled = np.array(talk.waits[1000:])
    assert np.median(settled) < 0.12
    assert settled.max() < 0.6
