"""PURE. What the stand-in said and heard: the known answers that a measurement compares with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


@dataclass(slots=True, eq=False)
class Spoken:
    """One answer that was sent as sound."""

    text: str
    samples: Samples
    """48 kHz mono int16, all of it, played or not."""
    started_at: float
    """Monotonic seconds at which its first packet was due."""
    played_ms: int | None = None
    """How much was sent; None while it plays."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn of the user."""

    text: str
    start: float
    """Monotonic seconds at which it began to arrive."""
    end: float
    level: float
    """RMS in dBFS of all of the turn, its pauses included."""
    voice_ended: float = 0.0
    """Monotonic seconds at which its last sample above -44 dBFS arrived."""


@dataclass(slots=True)
class Called:
    """One call of a tool."""

    name: str
    arguments: str
    """JSON, as the client was given it."""
    output: str | None = None
    """What the client told of it; None until it does."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a client wrote into a conversation, and in whose name: `user`, `assistant` or `system`."""

    role: str
    text: str


@dataclass(slots=True)
class Records:
    """Everything said, heard, written and asked of tools so far, in all calls."""

    spoken: list[Spoken] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    def forget(self) -> None:
        """Forget everything, so that a day of calls needs no more room than one."""
        self.spoken.clear()
        self.heard.clear()
        self.called.clear()
        self.written.clear()
