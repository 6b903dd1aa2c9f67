"""Plays the stimulus through the sound card and records both sides of it."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
from msgspec.structs import replace

from device.audio.block import BLOCK, RATE, Block
from device.calibrate.measure import Recorded
from device.calibrate.stimulus import Plan, stimulus
from device.errors import SoundError
from device.soundcard.card import OpenCard
from device.soundcard.opening import open_card
from device.soundcard.settings import SoundSettings

AHEAD: Final = RATE // 2
"""Samples kept waiting in the speaker's ring: a busy computer must not tear a hole into the measurement."""


class Performer:
    """Feeds the speaker, block by block of the microphone, and keeps what came of it."""

    def __init__(self, plan: Plan) -> None:
        self._sound = stimulus(plan)
        self._given = 0
        self._wanted = round((plan.seconds + plan.tail) * RATE / BLOCK) + AHEAD // BLOCK
        self._blocks: list[Block] = []
        self.card: OpenCard | None = None
        self.done = asyncio.Event()

    def on_block(self, block: Block) -> None:
        """Take one block, and give the speaker what it lacks; blocks that come before there is a card are dropped."""
        if self.card is None or self.done.is_set():
            return
        self._blocks.append(block)
        lacking = AHEAD - self.card.queued
        if lacking > 0 and self._given < len(self._sound):
            self.card.play(self._sound[self._given : self._given + lacking])
            self._given += lacking
        if len(self._blocks) >= self._wanted:
            self.done.set()

    def recorded(self) -> Recorded:
        """Return both sides."""
        return Recorded(
            np.concatenate([block.played for block in self._blocks]),
            np.concatenate([block.captured for block in self._blocks]),
        )


async def perform(settings: SoundSettings, plan: Plan) -> tuple[str, Recorded]:
    """Return the name of the card and what was recorded; takes about as long as the plan.

    A simulated room is measured only where the settings name it: what is safe in one that stands in for a missing card
    says nothing about the card.

    Raises:
        SoundError: the card is not there, cannot be opened, or stops giving blocks.
    """
    performer = Performer(plan)
    settings = replace(settings, card="pyaudio") if settings.card == "auto" else settings
    try:
        async with open_card(settings, performer.on_block) as card, asyncio.timeout(3.0 * plan.seconds + 10.0):
            performer.card = card
            await performer.done.wait()
            return card.name, performer.recorded()
    except TimeoutError:
        raise SoundError("the sound card stopped giving what it captured; plug it out and in again") from None
