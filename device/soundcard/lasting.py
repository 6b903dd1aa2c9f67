"""A sound card that may be unplugged and plugged in again: the streams are opened anew, and whoever listens goes on.

While there is no card, blocks of silence come at the computer's pace instead of the microphone's, and what would be played
is asked for and dropped, so that the call and the broadcast go on as ever. A card that is only looked for, or that opens
and carries nothing, counts as none; so does one that is not there yet when the robot begins.
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


class Search:
    """Why no card is found: a reason is news when it changes, and worth telling once, when it has lasted."""

    LASTS: Final = 10.0
    """Seconds: what is not so for long belongs to a card that is just coming or going."""

    def __init__(self, told: str = "") -> None:
        self._why, self._since, self._told = told, 0.0, told

    def failed(self, why: str, now: float) -> tuple[bool, bool]:
        """Take why an attempt failed at monotonic `now`; return whether that is news, and whether it is to be told."""
        news = why != self._why
        if news:
            self._why, self._since = why, now
        lasted = why != self._told and now - self._since >= self.LASTS
        if lasted:
            self._told = why
        return news, lasted


class Standstill:
    """Tells when a card no longer runs: PortAudio ended a stream, or one direction stood still for too long."""

    LONGEST: Final = 1.5
    """Seconds without a block or a sample played; a busy computer is late by a tenth of it, and only an emulated board beside much
    other work by all of it, now and then, which costs it a second of sound."""

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
    FIRST_SECONDS: Final = 3.0
    """For which a card that was opened again may neither hear nor speak: some take their time to wake up."""

    def __init__(
        self, make: Callable[[Deliver, Feed], PyAudioCard], deliver: Deliver, feed: Feed, told: Callable[[str], None]
    ) -> None:
        self._make, self._deliver, self._feed, self._told = make, deliver, feed, told
        self._away = False
        self._card = make(self._hear, self._ask)
        self._before: dict[str, float] = {}
        self._attempts = self._looks = 0
        self._missing = ""
        """Why there is no card at the beginning, in words."""

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
        """Return what every card counts, over all that were open, and how the search for one goes on while it is away."""
        search = {"reopening_attempts": self._attempts, "reopening_looks": self._looks, "card_away": self._away}
        return {**self._summed(), **search}

    async def open(self, *, needed: bool) -> None:
        """Open the card for the first time; one that is not `needed` now is looked for from now on.

        Raises:
            SoundError: there is none that is needed, or it cannot do 48 kHz mono.
        """
        try:
            await self._card.__aenter__()
        except SoundError as error:
            if needed:
                raise
            self._before, self._away = self._card.counters(), True
            self._missing = str(error)

    async def close(self) -> None:
        """Close what is open."""
        if not self._away:
            await self._card.__aexit__(None, None, None)

    async def mind(self) -> None:
        """Watch the card for ever, and open it again whenever it is gone."""
        while True:
            if self._away:  # from the beginning
                await self._silently(self._missing, Search(self._missing))
            else:
                _log.warning("the sound card has stopped: %s: %s", self.name, await self._gone())
                self._before, self._away = self._summed(), True
                await self._silently(f"the sound card is gone: {self.name}", Search(), self._card)
            _log.warning("the sound card is back: %s", self.name)
            self._told("")

    async def _silently(self, why: str, search: Search, gone: PyAudioCard | None = None) -> None:
        """Stand in for a card that is away until there is one again; close the one that is `gone` meanwhile."""
        _log.warning("%s", why)
        async with asyncio.TaskGroup() as tasks:
            silence = tasks.create_task(self._be_silent(), name="silence for the sound card")
            self._told(why)
            if gone is not None:
                await gone.__aexit__(None, None, None)
            await self._reopened(search)
            silence.cancel()

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

    async def _reopened(self, search: Search) -> None:
        while True:
            self._attempts += 1
            self._looks += 1
            again = time.monotonic() + self.RETRY_SECONDS
            try:
                self._card = await self._another()
            except OSError as error:
                self._note(f"no sound card yet: {error}", *search.failed(str(error), time.monotonic()))
                await asyncio.sleep(max(0.0, again - time.monotonic()))
            else:
                self._away = False
                return

    async def _another(self) -> PyAudioCard:
        """Return a card that is open and has heard and spoken.

        Raises:
            OSError: there is none, or none that can be used.
        """
        card = self._make(self._hear, self._ask)
        await card.__aenter__()
        try:
            await self._carries(card)
        except BaseException:
            await card.__aexit__(None, None, None)
            raise
        return card

    async def _carries(self, card: PyAudioCard) -> None:
        ends = time.monotonic() + self.FIRST_SECONDS
        while not all(card.progress):
            if not card.running or time.monotonic() > ends:
                raise SoundError(f"{card.name} opens, but does not both hear and speak")
            self._looks += 1
            await asyncio.sleep(self.LOOK_SECONDS)

    def _note(self, why: str, news: bool, lasted: bool) -> None:
        if news:
            _log.info("%s", why)
        if lasted:
            self._told(why)

    def _hear(self, block: Block) -> None:
        """Pass a block on; one that is only being tried is not heard."""
        if not self._away:
            self._deliver(block)

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
    make: Callable[[Deliver, Feed], PyAudioCard],
    deliver: Deliver,
    feed: Feed,
    told: Callable[[str], None],
    *,
    needed: bool = False,
) -> AsyncIterator[OpenCard]:
    """Keep the card that `make` makes open as long as the block runs, whatever happens to it.

    `feed` is asked for what comes next by the card, or by the computer's clock while there is none. `told` gets, in the event
    loop, what to say when there is no card, again when there is another reason for it, and an empty text when it is back.

    Raises:
        SoundError: there is none at first, or it cannot do 48 kHz mono, and it is `needed`.
    """
    card = LastingCard(make, deliver, feed, told)
    await card.open(needed=needed)
    try:
        async with asyncio.TaskGroup() as tasks:
            minding = tasks.create_task(card.mind(), name="mind the sound card")
            try:
                yield card
            finally:
                minding.cancel()
    finally:
        await card.close()
