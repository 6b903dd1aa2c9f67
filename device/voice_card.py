"""The voice path behind the sound card: each of the two drives the other, so they are made together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from device.audio.block import Block
from device.audio.echo import EchoMode, choose_echo
from device.config import DeviceSettings
from device.panel import earcons
from device.panel.board import Panel
from device.panel.patterns import Light
from device.soundcard.card import OpenCard
from device.soundcard.opening import open_card
from device.soundcard.room_card import Journal
from device.voice import VoicePath

_log = logging.getLogger(__name__)


def at_first(settings: DeviceSettings) -> Light:
    """Return what the talk light shows while the robot comes up: that it is being updated, in a version on trial."""
    on_trial = settings.update.places(settings.state_dir).trial.exists()
    return Light.UPDATING if on_trial else Light.STARTING


@asynccontextmanager
async def voice_card(
    settings: DeviceSettings, panel: Panel, told: Callable[[str], None], journal: Journal | None
) -> AsyncIterator[tuple[OpenCard, VoicePath]]:
    """Open the card and lay the voice path behind it; blocks that come before it is laid are lost, and not missed.

    `told` gets the words for it when the card is gone, and an empty text when it is back; the simulated room tells the
    `journal` what happens in it.

    Raises:
        SoundError: no card can be opened.
    """
    panel.show(at_first(settings))
    earcons.prepare()
    wanted = settings.sound
    if wanted.card == "auto" and not panel.stood_in:
        wanted = msgspec.structs.replace(wanted, card="pyaudio")  # a board with pins has no use for a simulated room
    voice: VoicePath | None = None

    def deliver(block: Block) -> None:
        if voice is not None:
            voice.on_block(block)

    def feed() -> None:
        if voice is not None:
            voice.feed()

    async with open_card(wanted, deliver, feed, journal, told) as card:
        _log.info("sound card: %s", card.name)
        voice = VoicePath(choose_echo(EchoMode(settings.echo.mode)), card, settings.echo.duck_db)
        yield card, voice
