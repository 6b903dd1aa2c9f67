"""The receiving half in simulated time: packets through reception and playout into a speaker with its own clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop
from random import Random

import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS, CALL, CALL_SECONDS, RATE, Samples
from device.audio.playout import Playout
from device.audio.reception import Reception
from device.soundcard.duplex import LOOK, SOON
from device.soundcard.refill import Refill
from device.soundcard.ring import SpeakerRing
from tests.bench.impairments import Trace


@dataclass(frozen=True)
class Heard:
    """What left the speaker's ring, from the moment the first packet was sent on."""

    samples: Samples
    counters: dict[str, float]
    waiting_ms: list[float]


class Speaker:
    """A speaker that calls in simulated time, and what feeds it: an event loop that is up to 2 ms late."""

    def __init__(self, first: float, ppm: float, random: Random) -> None:
        self.ring = SpeakerRing()
        self.sound: list[Samples] = []
        self._refill, self._random = Refill(CALL), random
        self._period = CALL_SECONDS / (1 + ppm * 1e-6)
        self._next, self._look = first, first

    def run(self, until: float, feed: Callable[[float], None]) -> None:
        """Let it call until then; `feed` gets the time at which it is asked for more."""
        while min(self._next, self._look) < until:
            if self._look < self._next:
                self._fill(self._look, feed)
            else:
                self.sound.append(np.frombuffer(self.ring.pull(CALL), np.int16))
                self._refill.called(CALL, self._next)
                self._next += self._period

    def _fill(self, now: float, feed: Callable[[float], None]) -> None:
        due = self._refill.due(self.ring.queued, now)
        if due is not None and due <= 0.0:
            feed(now)
            due = self._refill.due(self.ring.queued, now)
        self._look = now + (LOOK if due is None else max(SOON, due)) + self._random.random() * 0.002


def receive(
    packets: list[bytes], trace: Trace, *, sender_ppm: float = 0.0, speaker_ppm: float = 0.0, seed: int = 1
) -> Heard:
    """Play the packets as they come."""
    random = Random(seed)
    card, start, pace = random.random() * BLOCK_SECONDS, 0.2, BLOCK_SECONDS / (1 + sender_ppm * 1e-6)
    coming = [(start + index * pace + late, index) for index, late in enumerate(trace) if late is not None]
    heapify(coming)
    reception, speaker, waiting = Reception(), Speaker(card, speaker_ppm, random), list[float]()
    playout = Playout(speaker.ring)

    def feed(now: float) -> None:
        while coming and coming[0][0] <= now:
            at, index = heappop(coming)
            reception.put(index & 0xFFFF, (index * BLOCK) & 0xFFFFFFFF, packets[index], at)
        playout.play(reception.pull(now))
        waiting.append(reception.counters()["waiting_ms"])

    speaker.run(start + len(packets) * pace + 1.0, feed)
    counters = reception.counters() | {"underruns": speaker.ring.underruns}
    return Heard(np.concatenate(speaker.sound)[round((start - card) * RATE) :], counters, waiting)
