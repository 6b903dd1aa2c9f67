"""PURE. What a sound card is to everything above it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from device.audio.block import Block, Samples

Deliver = Callable[[Block], None]
"""Takes one block in the event loop, once for every 20 ms of the microphone."""

Feed = Callable[[], None]
"""Asked in the event loop, a moment before the speaker runs short, to `play` what comes next."""


class OpenCard(Protocol):
    """A microphone and a speaker that are open."""

    @property
    def name(self) -> str:
        """What to call this card in a log line or a report."""

    @property
    def stood_in(self) -> bool:
        """True when no real microphone and speaker are behind it."""

    @property
    def queued(self) -> int:
        """Samples that wait to be taken by the speaker."""

    def play(self, samples: Samples) -> None:
        """Append samples of any length, shape (n,), to what the speaker plays; the oldest go when it is too much."""

    def flush(self) -> int:
        """Drop everything that waits and return how many samples that was."""

    def counters(self) -> dict[str, float]:
        """Return numbers that only grow, and a few gauges; the keys are the same for every card."""


class SoundCard(OpenCard, Protocol):
    """A card that is open from `async with` to its end."""

    async def __aenter__(self) -> Self:
        """Open the card.

        Raises:
            SoundError: there is none, or it cannot do 48 kHz mono.
        """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the card; nothing is delivered any more and every thread of it has ended."""
