"""How far the character's mouth is from its voice, in the segments that observers play."""

from __future__ import annotations

import asyncio
import io
from statistics import median
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, SILENCE, Block, Samples
from device.audio.echo import NoEchoControl
from device.phase import Phase
from device.sora.picture import studio
from device.sora.publisher import Publisher
from device.sora.settings import BroadcastSettings
from device.voice import VoicePath
from provisioning.channels import ChannelOptions, HlsRendition, HlsVideo
from provisioning.imageflux import ImageFlux
from provisioning.local.imageflux import ImageFluxStandIn
from tests.bench.rows import Row, at_most
from tests.device.audio.sound import tone
from tests.device.audio.speaker import RingSpeaker
from tests.device.sora.sending import grant_for
from tests.provisioning.local.imageflux.listening import text_of, wait_for_playlists
from tests.provisioning.local.imageflux.m3u8 import parse_media

SETTINGS: Final = BroadcastSettings(picture="character", picture_rate=15)
PICTURES: Final = 60
"""A second in the rendition that is looked at: the picture is shown again and again, and a change is seen at once."""
LOUD: Final = 0.02
MOUTH: Final = (slice(150, 190), slice(300, 340))
"""Where the built-in character's mouth is, in pixels."""
MOVED: Final = 3.0
"""By how much that part of the picture differs at least, on average, when the mouth has moved."""


class Words:
    """A voice that says a tone of 0.4 s every 1.13 s, which falls anywhere between two pictures."""

    def __init__(self) -> None:
        self._sound = np.concatenate([np.zeros(round(0.73 * RATE), np.int16), tone(0.4, 440, 12_000)])
        self._at = 0

    def pull(self) -> Samples:
        """Return the next block."""
        block = np.take(self._sound, range(self._at, self._at + BLOCK), mode="wrap")
        self._at = (self._at + BLOCK) % self._sound.size
        return block

    def flush(self) -> None:
        """Go on."""

    def counters(self) -> dict[str, float]:
        """Count nothing."""
        return {}


async def speak(voice: VoicePath, speaker: RingSpeaker, seconds: float) -> None:
    """Drive the voice path as a sound card does."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(round(seconds / BLOCK_SECONDS)):
        played = speaker.take(BLOCK)
        voice.feed()
        voice.on_block(Block(SILENCE, played, loop.time()))
        await asyncio.sleep(began + (number + 1) * BLOCK_SECONDS - loop.time())


async def broadcast(seconds: float) -> bytes:
    """Have the character speak, and return what an observer can download of it."""
    speaker = RingSpeaker()
    voice = VoicePath(NoEchoControl(), speaker)
    voice.source = Words()
    motif = studio(SETTINGS, "robot", voice.lively_levels)
    if motif is None:
        raise AssertionError("these settings have a picture")
    motif.scene.stand(Phase.SPEAKING, on_air=True, muted=False)
    async with ImageFluxStandIn() as stand_in, aiohttp.ClientSession() as http:
        service = ImageFlux(http, stand_in.api_url, stand_in.settings.token)
        rendition = HlsRendition(video=HlsVideo(fps=PICTURES, bps=2_000_000))
        channel = await service.create_channel(ChannelOptions(renditions=[rendition]))
        async with Publisher(grant_for(channel), http=http, settings=SETTINGS, motif=motif) as publisher:
            voice.programme = publisher
            await speak(voice, speaker, seconds)
            [playlist] = await wait_for_playlists(service, channel.channel_id)
        found = bytearray()
        for segment in parse_media(await text_of(http, playlist.url)).segments:
            async with http.get(urljoin(playlist.url, segment.uri)) as response:
                found += await response.read()
    return bytes(found)


def decoded(stream: bytes, kind: str) -> list[Any]:
    """Return all frames of one kind."""
    with av.open(io.BytesIO(stream), "r") as container:
        return list(container.decode(**{kind: 0}))


def sounds(stream: bytes, quiet: float = 0.3) -> list[float]:
    """Return when the voice begins after `quiet` seconds without it, in seconds of the stream."""
    found, last = list[float](), float("inf")
    for frame in decoded(stream, "audio"):
        samples = np.abs(frame.to_ndarray()).max(axis=0)
        for number, part in enumerate(np.array_split(samples, 16)):
            at = frame.time + number * samples.size / 16 / RATE
            last = min(last, at)
            if part.max() > LOUD:
                found += [at] if at - last > quiet else []
                last = at
    return found


def mouths(stream: bytes, heard: list[float]) -> list[float]:
    """Return, for each sound, by how many seconds the mouth opened after it: less than 0.2 too early, or 0.5 too late."""
    frames = decoded(stream, "video")
    looks = [(frame.time, frame.to_ndarray(format="rgb24")[MOUTH].astype(np.float32)) for frame in frames]
    apart: list[float] = []
    for sound in heard:
        before = [look for at, look in looks if at < sound - 0.2]
        moved = (
            at - sound
            for at, look in looks
            if before and -0.2 <= at - sound < 0.5 and float(np.abs(look - before[-1]).mean()) > MOVED
        )
        apart += [first for first in [next(moved, None)] if first is not None]
    return apart


async def rows(seconds: float) -> list[Row]:
    """Return how far mouth and voice are apart; a mouth that is late is seen from 125 ms on (ITU-R BT.1359)."""
    stream = await broadcast(seconds)
    heard = sounds(stream)
    apart = mouths(stream, heard)
    if len(apart) < seconds / 3:
        raise AssertionError(f"{len(heard)} words heard, {len(apart)} seen")
    return [at_most("mouth after voice in HLS, median", 1000 * median(apart), "ms", 125)]
