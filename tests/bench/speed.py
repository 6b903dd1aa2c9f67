"""How fast a core of this computer is just now: a little work that is always the same, again and again beside what is measured.

The cores of a shared server are faster in one minute than in the next, and slower while their neighbours are busy. Processor
time that was counted here means something elsewhere only with the speed at which it was spent. The work is of the kinds that
a session is of: packets taken apart and put together, authenticated, a block mixed and its level taken, an event read.
It runs in a process of its own, some hundredths of the time, and begins with cold caches every time, as a session does.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Thread
from typing import Final

import numpy as np

USUAL_US: Final = 30.0
"""Microseconds of processor time for one round on the x86-64 server of docs/boards.md, where it takes 24 to 48, and some 36 beside
a live session (Python 3.11, numpy 2.4). At this speed 7-Zip 16.02 (`7za b 1 -mmt1 -md22`) rates one core at 3,060 MIPS
packing and 4,550 unpacking, by processor time."""

ROUNDS: Final = 200
"""In one look, some 6 ms."""
PAUSE: Final = 0.25
"""Seconds from one look to the next."""
LATELY: Final = 12
"""Looks that tell of now: three seconds."""

_BLOCKS: Final = np.random.default_rng(1).integers(-8000, 8000, (64, 960), dtype=np.int16)
_KEY: Final = bytes(20)


def turn(number: int) -> str:
    """Do one round; return what it read last."""
    header = struct.pack("!BBHII", 128, 111, number & 0xFFFF, number * 960 & 0xFFFFFFFF, 0x1234)
    _, _, sequence, timestamp, _ = struct.unpack("!BBHII", header)
    tag = hmac.new(_KEY, header + bytes(160), hashlib.sha1).digest()
    both = _BLOCKS[number % 64].astype(np.float32) + _BLOCKS[number * 7 % 64].astype(np.float32)
    mixed = np.clip(0.7 * both, -32768.0, 32767.0).astype(np.int16)
    level = math.sqrt(float(np.mean(np.square(mixed, dtype=np.float32))))
    event = {"type": "level", "event_id": tag.hex(), "sequence": sequence, "timestamp": timestamp, "level": level}
    return str(json.loads(json.dumps(event))["event_id"])


def look(began: int) -> float:
    """Return the microseconds of processor time of a round, over `ROUNDS` of them from number `began` on."""
    before = time.thread_time()
    for number in range(began, began + ROUNDS):
        turn(number)
    return (time.thread_time() - before) / ROUNDS * 1e6


@dataclass(slots=True)
class Speed:
    """What was seen while it was looked; 1 is the usual speed, 0.5 half of it, and where nothing was seen yet."""

    _total: float = 0.0
    _looks: int = 0
    _lately: deque[float] = field(default_factory=lambda: deque(maxlen=LATELY))

    def saw(self, micros: float) -> None:
        """Take in how long a round took, in microseconds."""
        self._total += micros
        self._looks += 1
        self._lately.append(micros)

    @property
    def now(self) -> float:
        """The speed of the last seconds."""
        return USUAL_US * len(self._lately) / sum(self._lately) if self._lately else 1.0

    @property
    def mean(self) -> float:
        """The speed of all the time."""
        return USUAL_US * self._looks / self._total if self._looks else 1.0


@contextmanager
def watched() -> Iterator[Speed]:
    """Look at the speed of this computer as long as the block runs, from another process."""
    speed, looking = (
        Speed(),
        subprocess.Popen([sys.executable, "-m", "tests.bench.speed"], stdout=subprocess.PIPE, text=True),
    )
    reading = Thread(target=_read, args=(looking, speed), name="speed")
    reading.start()
    try:
        yield speed
    finally:
        looking.terminate()
        looking.wait()
        reading.join()


def _read(looking: subprocess.Popen[str], speed: Speed) -> None:
    assert looking.stdout is not None
    with looking.stdout as lines:
        for line in lines:
            speed.saw(float(line))


def main() -> None:
    """Print what every look shows, until nobody reads it."""
    with contextlib.suppress(BrokenPipeError):
        for began in count(step=ROUNDS):
            print(f"{look(began):.2f}", flush=True)
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
