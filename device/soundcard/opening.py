"""Which sound card a device uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from device.errors import SoundError
from device.soundcard.card import Deliver, Feed, OpenCard
from device.soundcard.devices import has_both
from device.soundcard.lasting import lasting
from device.soundcard.pyaudio_card import PyAudioCard
from device.soundcard.room_card import Journal, RoomCard
from device.soundcard.settings import SoundSettings

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_card(
    settings: SoundSettings,
    deliver: Deliver,
    feed: Feed | None = None,
    journal: Journal | None = None,
    told: Callable[[str], None] | None = None,
) -> AsyncIterator[OpenCard]:
    """Open the card that the settings name, for as long as the block runs.

    `auto` takes PyAudio where there are a microphone and a speaker that can be used, else the simulated room; only the
    room tells the journal anything. With `feed` and `told`, a real card is opened again whenever it went away, and `told`
    gets the words for it, and an empty text when it is back; one that is named need not be there yet.

    Raises:
        SoundError: it cannot be opened.
    """
    async with AsyncExitStack() as owned:
        card = await _real(settings, deliver, feed, owned, told)
        if card is None:
            card = await owned.enter_async_context(RoomCard(settings, deliver, feed, *([journal] if journal else [])))
        yield card


async def _real(
    settings: SoundSettings,
    deliver: Deliver,
    feed: Feed | None,
    owned: AsyncExitStack,
    told: Callable[[str], None] | None,
) -> OpenCard | None:
    """Open the real card; None where the room takes its place."""
    if settings.card == "room" or (settings.card == "auto" and not await asyncio.to_thread(has_both)):
        return None
    try:
        if told is None or feed is None:
            return await owned.enter_async_context(PyAudioCard(settings, deliver, feed))
        return await owned.enter_async_context(
            lasting(partial(PyAudioCard, settings), deliver, feed, told, needed=settings.card == "auto")
        )
    except SoundError as error:
        if settings.card == "pyaudio":
            raise
        _log.warning("%s; a simulated room takes its place", error)
        return None
