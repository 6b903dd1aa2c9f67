"""PURE. The unit of all sound: 20 ms, 48 kHz, mono, int16; the microphone's clock gives them, the speaker's takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
"""Samples per second, everywhere."""

BLOCK: Final = 960
"""Samples in one block: 20 ms."""

BLOCK_SECONDS: Final = BLOCK / RATE

CALL: Final = 480
"""Samples that a speaker takes in one call: 10 ms. Sound is handed to it in multiples of that."""

CALL_SECONDS: Final = CALL / RATE

Samples = NDArray[np.int16]
"""Mono PCM, shape (n,), full scale 32767."""

SILENCE: Final[Samples] = np.zeros(BLOCK, np.int16)
SILENCE.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """20 ms of the microphone, and what the speaker was handed at that moment."""

    captured: Samples
    """Shape (960,): what the microphone heard."""
    played: Samples
    """Shape (960,): the samples really handed to the speaker meanwhile; zeros where there were none."""
    at: float
    """Monotonic seconds at which the last sample was captured."""


class BlockSink(Protocol):
    """Where blocks go: an encoder that feeds a peer connection."""

    def push(self, samples: Samples) -> None:
        """Take one block, shape (960,); never blocks and never fails."""

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, for the meters."""


class BlockSource(Protocol):
    """Where blocks come from: a receiver that decodes and conceals."""

    def pull(self) -> Samples:
        """Return what comes next, shape (n,), n a multiple of 480; silence when there is nothing to say."""

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, for the meters."""
