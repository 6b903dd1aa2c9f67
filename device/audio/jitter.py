"""PURE. A jitter buffer for one voice: packets in any order and at any time become decisions, one per frame.

When the buffer runs dry the media clock is held, so the delay grows at once by what is needed. What is made up
meanwhile is set against what turns out to be lost, so a lost packet never lengthens the delay. A packet that is missing
while later ones are there is lost: it is decoded from the copy inside the next one or concealed, and refused if it
comes after all. After 100 ms without packets sound fades to silence: what comes then is played at its old time if those
before it were lost, and starts anew if the sender paused or the network stalled.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from device.audio.block import BLOCK, CALL, RATE
from device.audio.delay import PlayoutDelay
from device.audio.opus import SHORTEST_FRAME, packet_samples

LONGEST_BACKLOG: Final = RATE // 2
"""Samples that may wait: the oldest beyond them are skipped, so that a talk is never held up for longer."""
LONGEST_CONCEALMENT: Final = RATE // 10
"""Samples made up in a row before they begin to fade: 100 ms."""
FADE: Final = RATE // 10
"""Samples over which what is made up falls to silence."""

_CAPACITY = 64  # packets
_LONGEST_HOLD = RATE  # samples without packets after which the media time is forgotten
_LONGEST_DROPOUT, _LONGEST_MISORDER = 3000, 100  # packets, RFC 3550 A.1


class Kind(Enum):
    """What to do for the next frame."""

    DECODE = "decode"
    RECOVER = "recover"
    """Decode the copy of the lost frame that is inside `payload`, the packet after it."""
    CONCEAL = "conceal"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decision about the next `samples`; `payload` is a packet for DECODE and RECOVER, empty otherwise."""

    kind: Kind
    payload: bytes = b""
    samples: int = BLOCK


@dataclass(slots=True)
class JitterCounters:
    """Numbers that only grow."""

    received: int = 0
    decoded: int = 0
    recovered: int = 0
    """Frames decoded from the copy in the next packet."""
    concealed: int = 0
    """Frames made up because theirs was lost."""
    dry: int = 0
    """Frames made up because nothing had come yet."""
    late: int = 0
    duplicate: int = 0
    malformed: int = 0
    skipped: int = 0
    """Packets discarded because too much was waiting."""
    spurts: int = 0
    """Times that sound began after silence."""


@dataclass(frozen=True, slots=True)
class _Packet:
    sequence: int
    timestamp: int
    payload: bytes
    samples: int
    at: float
    """When it arrived."""


class JitterBuffer:
    """Packets of one RTP stream, ordered by sequence number, each given out at most once."""

    def __init__(self) -> None:
        self.counters = JitterCounters()
        self.delay = PlayoutDelay()
        self._packets: dict[int, _Packet] = {}
        self._latest: tuple[int, int] | None = None  # highest sequence number and its timestamp, unwrapped
        self._odd: int | None = None  # where a sender that started anew would go on, RFC 3550 A.1
        self._floor = 0  # packets below this sequence number come too late
        self._position = 0  # media time of the next sample to decide about
        self._held = 0  # samples made up while dry, to be set against what was lost
        self._playing = False
        self._first_at: float | None = None  # arrival of what will begin the next spurt

    def put(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """Take a packet (16-bit `sequence`, 32-bit `timestamp`) that arrived at `now`; never fails."""
        self.counters.received += 1
        samples = packet_samples(payload)
        if not samples:
            self.counters.malformed += 1
            return
        if not self._follows(sequence):
            self.counters.late += 1
            return
        packet = _Packet(*self._unwrap(sequence, timestamp), payload, samples, now)
        if not self._playing and self._first_at is None:
            self.delay.forget()
        self.delay.arrived(now, packet.timestamp, samples)
        self._store(packet, now)

    def tick(self, now: float) -> None:
        """Say that what comes next is being handed out; called once before the pulls for it."""
        self.delay.tick(now)

    def handed(self, samples: int) -> None:
        """Say that `samples` came of it."""
        self.delay.handed(samples)

    def pull(self, now: float) -> Outcome:
        """Decide about the next frame."""
        while len(self._packets) > 1 and self._backlog() > LONGEST_BACKLOG:
            self._skip()
        if not self._playing:
            return self._begin() if self._ready(now) else Outcome(Kind.SILENCE, samples=CALL)
        head = self._head()
        if head is None:
            return self._run_dry()
        if self._held > LONGEST_CONCEALMENT and not self._were_lost(head):
            return self._begin_anew(head, now)
        if not 0 <= head.timestamp - self._position <= LONGEST_BACKLOG + self._held:  # the sender's clock was set
            return self._take(head)
        gap = self._settle(head)
        return self._take(head) if gap < SHORTEST_FRAME else self._fill(head, gap)

    def surplus(self, samples: int, pending: int, *, at_leisure: bool) -> int:
        """Return how many samples to leave out (below 0: to add), given the frame of `samples` that was just decided about.

        `pending` samples were decided about before it but not handed out; `at_leisure` is true in a long pause.
        """
        if not self._playing:
            return 0
        return self.delay.surplus(self._position - samples, pending, at_leisure=at_leisure)

    def waiting(self, pending: int) -> float:
        """Return the seconds that a packet which was not held up waits; 0 in silence."""
        silent = not self._playing or self._held > LONGEST_CONCEALMENT
        return 0.0 if silent else self.delay.waiting(self._position - pending)

    def flush(self) -> None:
        """Forget what is waiting; what comes next starts anew."""
        if self._latest is not None:
            self._floor = max(self._floor, self._latest[0] + 1)
        self._packets.clear()
        self._stop()

    def restart(self) -> None:
        """Forget the stream, because another one (another SSRC) takes its place."""
        self.flush()
        self._latest, self._odd, self._floor = None, None, 0

    # Arrival.

    def _follows(self, sequence: int) -> bool:
        if self._latest is None:
            return True
        ahead = _signed(sequence - self._latest[0], 16)
        if -_LONGEST_MISORDER <= ahead <= _LONGEST_DROPOUT:
            return True
        if sequence == self._odd:
            self.restart()
            return True
        self._odd = (sequence + 1) & 0xFFFF
        return False

    def _unwrap(self, sequence: int, timestamp: int) -> tuple[int, int]:
        if self._latest is None:
            self._latest = (sequence, timestamp)
            self._floor = sequence - _LONGEST_MISORDER
        ahead = _signed(sequence - self._latest[0], 16)
        extended = (self._latest[0] + ahead, self._latest[1] + _signed(timestamp - self._latest[1], 32))
        if ahead > 0:
            self._latest = extended
        return extended

    def _store(self, packet: _Packet, now: float) -> None:
        if packet.sequence < self._floor:
            self.counters.late += 1
        elif packet.sequence in self._packets:
            self.counters.duplicate += 1
        else:
            self._packets[packet.sequence] = packet
            self._first_at = now if self._first_at is None else self._first_at
            if len(self._packets) > _CAPACITY:
                self._skip()

    # Playing.

    def _head(self) -> _Packet | None:
        return self._packets[min(self._packets)] if self._packets else None

    def _backlog(self) -> int:
        """Return the samples from the beginning of the first packet to that of the last, lost ones included."""
        last = max(self._packets)
        return (last - min(self._packets)) * self._packets[last].samples

    def _ready(self, now: float) -> bool:
        if self._first_at is None or not self._packets:
            return False
        return now - self._first_at >= self.delay.target or self._backlog() >= self.delay.target * RATE

    def _begin(self) -> Outcome:
        self._playing = True
        self.counters.spurts += 1
        return self._take(self._packets[min(self._packets)])

    def _run_dry(self) -> Outcome:
        self._held += CALL
        if self._held > _LONGEST_HOLD:
            self._stop()
        if not 0 < self._held <= LONGEST_CONCEALMENT + FADE:
            return Outcome(Kind.SILENCE, samples=CALL)
        self.counters.dry += 1
        return Outcome(Kind.CONCEAL, samples=CALL)

    def _were_lost(self, head: _Packet) -> bool:
        """Tell whether the packets before `head` fill the time without any, so that its turn is yet to come or now."""
        return head.timestamp - self._position >= self._held - CALL

    def _begin_anew(self, head: _Packet, now: float) -> Outcome:
        self._stop()
        self._first_at = head.at
        return self._begin() if self._ready(now) else Outcome(Kind.SILENCE, samples=CALL)

    def _stop(self) -> None:
        self._playing, self._first_at, self._held = False, None, 0

    def _skip(self) -> None:
        skipped = self._packets.pop(min(self._packets))
        self.counters.skipped += 1
        self._floor, self._position = skipped.sequence + 1, skipped.timestamp + skipped.samples

    def _settle(self, head: _Packet) -> int:
        covered = min(head.timestamp - self._position, self._held)
        if covered > 0:
            self.delay.lost()
        self._held -= covered
        self._advance(covered, head)
        return head.timestamp - self._position

    def _advance(self, samples: int, head: _Packet) -> None:
        self._position += samples
        still_to_come = -(-(head.timestamp - self._position) // head.samples)
        self._floor = max(self._floor, head.sequence - still_to_come)

    def _take(self, head: _Packet) -> Outcome:
        del self._packets[head.sequence]
        self._floor, self._position, self._held = head.sequence + 1, head.timestamp + head.samples, 0
        self.counters.decoded += 1
        return Outcome(Kind.DECODE, head.payload, head.samples)

    def _fill(self, head: _Packet, gap: int) -> Outcome:
        self.delay.lost()
        lost = head.sequence > self._floor
        if lost and gap <= head.samples:
            self.counters.recovered += 1
            outcome = Outcome(Kind.RECOVER, head.payload, _whole(gap))
        else:
            self.counters.concealed += 1
            room = gap - head.samples if lost else gap
            outcome = Outcome(Kind.CONCEAL, samples=_whole(min(BLOCK, room)))
        self._advance(outcome.samples, head)
        return outcome


def _whole(samples: int) -> int:
    """Return `samples` rounded down to what libopus can make up: whole frames of 2.5 ms, at least one."""
    return max(SHORTEST_FRAME, samples - samples % SHORTEST_FRAME)


def _signed(difference: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half
