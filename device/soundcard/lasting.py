"""A sound card that may be unplugged and plugged in again: the streams are opened anew, and whoever listens goes on.

While there is no card, blocks of silence come at the computer's pace instead of the microphone's, and what would be played
is asked for and dropped, so that the call and the broadcast go on as ever.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from device.audio.block import BLOCK_SECONDS, SILENCE, Block, Samples
from device.errors import SoundError
from device.soundcard.card import Deliver, Feed, OpenCard
from device.soundcard.pyaudio_card import PyAudioCard

_log = logging.getLogger(__name__)

GAUGES: Final = frozenset({"pair_drift", "pair_off", "loop_lag_p99_ms", "loop_lag_worst_ms", "speaker_lead_ms"})
"""Counters of a card that tell how it stands now; all others only grow, over every card there was."""


class Standstill:
    """Tells when a card no longer runs: PortAudio ended a stream, or one direction stood still for too long."""

    LONGEST: Final = 1.5
    """Seconds without a block or a sample played; a busy computer is late by a tenth of it."""

    def __init__(self) -> None:
        self._heard: tuple[int | None, float] = (None, 0.0)
        self._spoken: tuple[int | None, float] = (None, 0.0)

    def found(self, progress: tuple[int, int], now: float) -> str:
        """Say how far hearing and speaking have come at monotonic `now`; return which stands still, empty for neither."""
        heard, spoken = progress
        if heard != self._heard[0]:
            self._heard = (heard, now)
        if spoken != self._spoken[0]:
            self._spoken = (spoken, now)
        if now - self._heard[1] > self.LONGEST:
            return f"nothing was heard for {now - self._heard[1]:.1f} s"
        return f"nothing was played for {now - self._spoken[1]:.1f} s" if now - self._spoken[1] > self.LONGEST else ""


class LastingCard:
    """Owns one open `PyAudioCard` after the other; made by `lasting`."""

    stood_in: Final = False

    LOOK_SECONDS: Final = 0.1
    """Between two looks at the streams."""
    RETRY_SECONDS: Final = 1.0
    """Between two attempts to open the card again."""

    def __init__(
        self, make: Callable[[Feed], PyAudioCard], deliver: Deliver, feed: Feed, told: Callable[[str], None]
    ) -> None:
        self._make, self._deliver, self._feed, self._told = make, deliver, feed, told
        self._away = False
        self._card = make(self._ask)
        self._before: dict[str, float] = {}
        self._attempts = 0

    @property
    def name(self) -> str:
        """What to call this card in a log line or a report."""
        return self._card.name

    @property
    def queued(self) -> int:
        """Samples that wait to be taken by the speaker; none while there is no card."""
        return 0 if self._away else self._card.queued

    def play(self, samples: Samples) -> None:
        """Append samples to what the speaker plays; dropped while there is none."""
        if not self._away:
            self._card.play(samples)

    def flush(self) -> int:
        """Drop everything that waits for the speaker; return how many samples that was."""
        return 0 if self._away else self._card.flush()

    def counters(self) -> dict[str, float]:
        """Return what every card counts, over all that were open, and the attempts to open one again."""
        return {**self._summed(), "reopening_attempts": self._attempts}

    async def open(self) -> None:
        """Open the card for the first time.

        Raises:
            SoundError: there is none, or it cannot do 48 kHz mono.
        """
        await self._card.__aenter__()

    async def close(self) -> None:
        """Close what is open."""
        if not self._away:
            await self._card.__aexit__(None, None, None)

    async def mind(self) -> None:
        """Watch the card for ever, and open it again whenever it is gone."""
        while True:
            why = await self._gone()
            _log.warning("the sound card has stopped: %s: %s", self.name, why)
            self._before, self._away = self._summed(), True
            async with asyncio.TaskGroup() as tasks:
                silence = tasks.create_task(self._be_silent(), name="silence for the sound card")
                self._told(f"the sound card is gone: {self.name}")
                await self._reopened()
                silence.cancel()
            _log.warning("the sound card is back: %s", self.name)
            self._told("")

    def _summed(self) -> dict[str, float]:
        if self._away:
            return self._before
        now = self._card.counters()
        return {key: value + (0 if key in GAUGES else self._before.get(key, 0)) for key, value in now.items()}

    async def _gone(self) -> str:
        """Return, once the card no longer runs, how that showed."""
        still = Standstill()
        while self._card.running:
            if why := still.found(self._card.progress, time.monotonic()):
                return why
            await asyncio.sleep(self.LOOK_SECONDS)
        return "PortAudio ended a stream"

    async def _reopened(self) -> None:
        await self._card.__aexit__(None, None, None)
        while True:
            self._attempts += 1
            card = self._make(self._ask)
            try:
                await card.__aenter__()
            except SoundError as error:
                _log.info("no sound card yet: %s", error)
                await asyncio.sleep(self.RETRY_SECONDS)
            else:
                self._card, self._away = card, False
                return

    def _ask(self) -> None:
        """Pass on that the card's speaker runs short; one that is only being opened is not heard."""
        if not self._away:
            self._feed()

    async def _be_silent(self) -> None:
        due = time.monotonic()
        while True:
            due += BLOCK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._feed()
            self._deliver(Block(SILENCE, SILENCE, due))


@asynccontextmanager
async def lasting(
    make: Callable[[Feed], PyAudioCard], deliver: Deliver, feed: Feed, told: Callable[[str], None]
) -> AsyncIterator[OpenCard]:
    """Keep the card that `make` makes open as long as the block runs, whatever happens to it.

    `feed` is asked for what comes next by the card, or by the computer's clock while there is none; `told` gets, in the event loop, what to say when the card is gone, and an empty text when it is back.

    Raises:
        SoundError: there is none at first, or it cannot do 48 kHz mono.
    """
    card = LastingCard(make, deliver, feed, told)
    await card.open()
    try:
        async with asyncio.TaskGroup() as tasks:
            minding = tasks.create_task(card.mind(), name="mind the sound card")
            try:
                yield card
            finally:
                minding.cancel()
    finally:
        await card.close()
