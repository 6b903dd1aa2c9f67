"""A simulated network between a sender with a perfect clock and a buffer that is pulled once per 20 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from device.audio.block import BLOCK, BLOCK_SECONDS
from device.audio.jitter import JitterBuffer, Kind, Outcome


@dataclass(frozen=True)
class Packet:
    """Packet `index` of the stream, which arrives at `at`."""

    index: int
    at: float


@dataclass(frozen=True)
class Decision:
    """What was decided at `at`, and which packet it was about."""

    at: float
    outcome: Outcome
    index: int | None


def payload_of(index: int) -> bytes:
    """A packet of 20 ms by its first byte (SILK, narrowband) that says which one it is."""
    return bytes([0x08]) + index.to_bytes(4, "big")


def index_of(payload: bytes) -> int:
    return int.from_bytes(payload[1:], "big")


def on_time(count: int, late: Callable[[int], float | None] = lambda _: 0.0) -> list[Packet]:
    """`count` packets, one per 20 ms, each `late(index)` seconds after its time, or lost if that is None."""
    lateness = [(index, late(index)) for index in range(count)]
    return [Packet(index, index * BLOCK_SECONDS + late) for index, late in lateness if late is not None]


def play(
    buffer: JitterBuffer,
    packets: Iterable[Packet],
    ticks: int,
    *,
    sequence: int = 0,
    timestamp: int = 0,
    phase: float = 0.007,
    step: int = BLOCK,
) -> list[Decision]:
    """Let `packets` arrive while `buffer` is pulled `ticks` times; return every decision."""
    coming = sorted(packets, key=lambda packet: packet.at)
    decisions = []
    for tick in range(ticks):
        now = tick * BLOCK_SECONDS + phase
        while coming and coming[0].at <= now:
            packet = coming.pop(0)
            stamp = (timestamp + packet.index * step) & 0xFFFFFFFF
            buffer.put((sequence + packet.index) & 0xFFFF, stamp, payload_of(packet.index), packet.at)
        buffer.tick(now)
        filled = 0
        while filled < BLOCK:
            outcome = buffer.pull(now)
            filled += outcome.samples
            buffer.handed(outcome.samples)
            about = index_of(outcome.payload) if outcome.kind in {Kind.DECODE, Kind.RECOVER} else None
            decisions.append(Decision(now, outcome, about))
    return decisions


def decoded(decisions: Iterable[Decision]) -> list[int]:
    """The packets that were decoded, in that order."""
    return [d.index for d in decisions if d.outcome.kind is Kind.DECODE and d.index is not None]


def delays(decisions: Iterable[Decision]) -> dict[int, float]:
    """For each decoded packet, how long after its time it was played."""
    return {
        d.index: d.at - d.index * BLOCK_SECONDS
        for d in decisions
        if d.outcome.kind is Kind.DECODE and d.index is not None
    }
