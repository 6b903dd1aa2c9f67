"""Which sound card a device uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from device.soundcard.card import Deliver, SoundCard
from device.soundcard.devices import has_both
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.room_card import Journal, RoomCard
from device.soundcard.settings import SoundSettings


@asynccontextmanager
async def open_card(
    settings: SoundSettings, deliver: Deliver, journal: Journal | None = None
) -> AsyncIterator[SoundCard]:
    """Open the card that the settings name, for as long as the block runs.

    `auto` takes PyAudio where there are a microphone and a speaker, else the simulated room; only the room tells the
    journal anything.

    Raises:
        SoundError: it cannot be opened.
    """
    real = settings.card == "pyaudio" or (settings.card == "auto" and await asyncio.to_thread(has_both))
    if real:
        async with PyAudioCard(settings, deliver) as card:
            yield card
    else:
        async with RoomCard(settings, deliver, *([journal] if journal else [])) as room:
            yield room
