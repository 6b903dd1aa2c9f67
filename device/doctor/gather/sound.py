"""Listens to the sound card, opened the way the robot opens it, and asks PortAudio what each device can do."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, Block, Samples
from device.audio.level import FULL_SCALE, dbfs, energy, rms_dbfs
from device.doctor.checks.sound import DeviceFacts, Heard, SoundFacts
from device.doctor.gather.pins import user
from device.errors import SoundError
from device.soundcard.card import OpenCard
from device.soundcard.devices import devices_of, open_portaudio, rates
from device.soundcard.opening import open_card
from device.soundcard.settings import SoundSettings

LONGEST_RECORDING: Final = 3.5
"""Seconds that fit into the speaker's ring."""

_WARMING: Final = 10
"""Blocks at the start that are not measured: converters and drivers settle."""
_PATIENCE: Final = 3.0
"""Times its length that a measurement may take before what has come is all there is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured."""

    seconds: float = 2.0
    """How long to listen."""
    record: float = 0.0
    """How long to record and then play back; 0 for not at all."""


async def gather(settings: SoundSettings, wish: Wish, *, running: bool) -> SoundFacts:
    """Return what is to be seen and heard of the sound card; a running robot is not disturbed."""
    devices: tuple[DeviceFacts, ...] = ()
    heard = played_back = None
    error = ""
    with suppress(SoundError):  # without PortAudio no card can be opened either, which tells it
        devices = await asyncio.to_thread(_devices)
    if not running:
        try:
            heard, played_back = await _listen(settings, wish)
        except SoundError as trouble:
            error = str(trouble)
    return SoundFacts(user(), devices, settings.input, settings.output, running, error, heard, played_back)


def _devices() -> tuple[DeviceFacts, ...]:
    audio = open_portaudio()
    try:
        return tuple(
            DeviceFacts(
                device.index,
                device.name,
                rates(audio, device, "microphone") if device.serves("microphone") else (),
                rates(audio, device, "speaker") if device.serves("speaker") else (),
                device.place,
            )
            for device in devices_of(audio)
        )
    finally:
        audio.terminate()


class _Ear:
    """Collects what the microphone gives until there is enough."""

    def __init__(self) -> None:
        self._blocks: list[Samples] = []
        self._wanted = 0
        self._enough = asyncio.Event()

    def __call__(self, block: Block) -> None:
        self._blocks.append(block.captured)
        if len(self._blocks) >= self._wanted:
            self._enough.set()

    async def hear(self, seconds: float) -> list[Samples]:
        """Return the blocks of this many seconds from now on; fewer when they do not come."""
        self._blocks, self._wanted = [], round(seconds / BLOCK_SECONDS)
        self._enough.clear()
        try:
            async with asyncio.timeout(seconds * _PATIENCE):
                await self._enough.wait()
        except TimeoutError:
            pass
        return self._blocks[: self._wanted]


async def _listen(settings: SoundSettings, wish: Wish) -> tuple[Heard, Heard | None]:
    ear = _Ear()
    async with open_card(settings, ear) as card:
        await ear.hear(_WARMING * BLOCK_SECONDS)
        heard = await _measured(card, ear, wish.seconds)
        if not wish.record:
            return heard[0], None
        record = await _measured(card, ear, min(wish.record, LONGEST_RECORDING))
        card.play(np.concatenate(record[1]) if record[1] else np.zeros(BLOCK, np.int16))
        await ear.hear(card.queued / RATE)
        return heard[0], record[0]


async def _measured(card: OpenCard, ear: _Ear, seconds: float) -> tuple[Heard, list[Samples]]:
    before, began = _xruns(card), time.monotonic()
    blocks = await ear.hear(seconds)
    return _heard(card, blocks, time.monotonic() - began, _xruns(card) - before), blocks


def _heard(card: OpenCard, blocks: list[Samples], seconds: float, xruns: int) -> Heard:
    sound = np.concatenate([np.zeros(0, np.int16), *blocks])
    highest = int(np.abs(sound.astype(np.int32)).max(initial=0))
    return Heard(
        card=card.name,
        stood_in=card.stood_in,
        seconds=seconds,
        blocks=len(blocks),
        now=rms_dbfs(sound[-10 * BLOCK :]),
        average=dbfs(energy(sound)),
        peak=dbfs((highest / FULL_SCALE) ** 2),
        clipped=sum(bool(np.abs(block.astype(np.int32)).max() >= 32767) for block in blocks),
        xruns=xruns,
    )


def _xruns(card: OpenCard) -> int:
    counters = card.counters()
    return int(counters["input_xruns"] + counters["blocks_dropped"])
