"""PURE. What a network does to a stream of packets: for each packet how late it comes, or that it never does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from device.audio.block import BLOCK_SECONDS

Trace = list[float | None]
"""For each packet the seconds by which it is held up; None: it is lost."""


@dataclass(frozen=True)
class Impairment:
    """One kind of bad network."""

    name: str
    make: Callable[[Random, int], Trace]
    ppm: float = 0.0
    """By how much the sender's clock is fast, in millionths."""

    def trace(self, count: int, seed: int = 1) -> Trace:
        """Return what happens to `count` packets; the same seed gives the same."""
        return self.make(Random(f"{self.name} {seed}"), count)


def perfect(_random: Random, count: int) -> Trace:
    """Nothing happens."""
    return [0.0] * count


def random_loss(share: float) -> Callable[[Random, int], Trace]:
    """Each packet is lost with this probability, whatever happened to the others."""
    return lambda random, count: [None if random.random() < share else 0.0 for _ in range(count)]


def bursty_loss(share: float, length: float = 3.0) -> Callable[[Random, int], Trace]:
    """Losses come in bursts of this mean length (Gilbert's model) and make up this share."""

    def make(random: Random, count: int) -> Trace:
        lost, trace = False, Trace()
        for _ in range(count):
            change = 1 / length if lost else share / (1 - share) / length
            lost ^= random.random() < change
            trace.append(None if lost else 0.0)
        return trace

    return make


def jitter(seconds: float) -> Callable[[Random, int], Trace]:
    """Each packet is held up by 0 to `seconds`, evenly spread, and none overtakes another."""
    return lambda random, count: in_order([random.uniform(0, seconds) for _ in range(count)])


def reordered(share: float, seconds: float) -> Callable[[Random, int], Trace]:
    """This share of the packets comes `seconds` late, overtaken by others."""
    return lambda random, count: [seconds if random.random() < share else 0.0 for _ in range(count)]


def wireless(random: Random, count: int) -> Trace:
    """A busy Wi-Fi: 0 to 15 ms of jitter, a stall of 40 to 120 ms every other second, 3 % lost in short bursts."""
    late = [random.uniform(0, 0.015) for _ in range(count)]
    start = 50.0
    while start < count:
        length = random.uniform(0.040, 0.120)
        for index in range(int(start), min(count, int(start + length / BLOCK_SECONDS) + 1)):
            late[index] = max(late[index], length - (index - start) * BLOCK_SECONDS)
        start += random.expovariate(1 / 100)
    lost = bursty_loss(0.03, 1.5)(random, count)
    return [None if gone is None else held for held, gone in zip(in_order(late), lost, strict=True)]


def in_order(late: list[float]) -> Trace:
    """Return the delays made longer where a packet would have overtaken the one before."""
    kept, last = Trace(), 0.0
    for index, held in enumerate(late):
        last = max(last, index * BLOCK_SECONDS + held)
        kept.append(last - index * BLOCK_SECONDS)
    return kept


ALL: Final = (
    Impairment("none", perfect),
    Impairment("loss 1 %", random_loss(0.01)),
    Impairment("loss 3 %", random_loss(0.03)),
    Impairment("loss 5 %", random_loss(0.05)),
    Impairment("loss 10 %", random_loss(0.10)),
    Impairment("bursts 3 %", bursty_loss(0.03)),
    Impairment("bursts 5 %", bursty_loss(0.05)),
    Impairment("bursts 10 %", bursty_loss(0.10)),
    Impairment("jitter 30 ms", jitter(0.030)),
    Impairment("jitter 60 ms", jitter(0.060)),
    Impairment("reorder 3 %", reordered(0.03, 0.050)),
    Impairment("Wi-Fi", wireless),
    Impairment("+100 ppm", perfect, ppm=100),
    Impairment("-100 ppm", perfect, ppm=-100),
    Impairment("+2000 ppm", perfect, ppm=2000),
    Impairment("-2000 ppm", perfect, ppm=-2000),
)

QUICK: Final = frozenset({"none", "loss 5 %", "bursts 5 %", "jitter 60 ms", "Wi-Fi", "+2000 ppm"})
