"""The receiving half in simulated time: packets through reception and playout into a speaker with its own clock."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop
from random import Random
from typing import Final

import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, Samples
from device.audio.playout import Playout
from device.audio.reception import Reception
from device.soundcard.ring import SpeakerRing
from tests.bench.impairments import Trace

CALL: Final = 480
"""Samples in one call of the speaker."""


class Speaker(SpeakerRing):
    """A ring whose hardware calls in simulated time."""

    owed = 0

    def tell(self, elapsed: float) -> None:
        """Say how many seconds ago the last call was, now that a block is handed over."""
        self.owed = CALL - round(elapsed * RATE)


@dataclass(frozen=True)
class Heard:
    """What left the speaker's ring, from the moment the first packet was sent on."""

    samples: Samples
    counters: dict[str, float]
    waiting_ms: list[float]


def receive(
    packets: list[bytes], trace: Trace, *, sender_ppm: float = 0.0, speaker_ppm: float = 0.0, seed: int = 1
) -> Heard:
    """Play the packets as they come; the microphone's clock is exact, an event loop is up to 2 ms late."""
    random = Random(seed)
    phase, card, start = random.random() * BLOCK_SECONDS, random.random() * 0.01, 0.2
    pace, period = BLOCK_SECONDS / (1 + sender_ppm * 1e-6), CALL / RATE / (1 + speaker_ppm * 1e-6)
    coming = [(start + index * pace + late, index) for index, late in enumerate(trace) if late is not None]
    heapify(coming)
    reception, ring = Reception(), Speaker()
    playout, sound, waiting, called = Playout(ring), list[Samples](), list[float](), 0
    for tick in range(int((start + len(packets) * pace + 1.0) / BLOCK_SECONDS)):
        now = phase + tick * BLOCK_SECONDS + random.random() * 0.002
        while coming and coming[0][0] <= now:
            at, index = heappop(coming)
            reception.put(index & 0xFFFF, (index * BLOCK) & 0xFFFFFFFF, packets[index], at)
        while card + called * period <= now:
            sound.append(np.frombuffer(ring.pull(CALL), np.int16))
            called += 1
        ring.tell(now - card - (called - 1) * period)
        playout.play(reception.pull(now))
        waiting.append(reception.counters()["waiting_ms"])
    counters = reception.counters() | playout.counters() | {"underruns": ring.underruns}
    return Heard(np.concatenate(sound)[round((start - card) * RATE) :], counters, waiting)
