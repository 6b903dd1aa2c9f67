"""What an observer does with a broadcast: downloads it, decodes every segment alone, and measures the sound."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np
import pytest
from numpy.typing import NDArray

from provisioning.imageflux import ImageFlux, Playlist
from tests.provisioning.local.imageflux.m3u8 import MediaPlaylist, parse_media

RATE = 48_000
Sound = NDArray[np.float64]


def tone(hertz: float, dbfs: float, seconds: float) -> NDArray[np.int16]:
    """Return a sine of that RMS level (a full-scale sine has -3 dBFS)."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples: NDArray[np.int16] = (32767 * 2**0.5 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * time)).astype(
        np.int16
    )
    return samples


def dbfs(sound: Sound) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(sound**2)) + 1e-9))


def loudest_hertz(sound: Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(spectrum.argmax() * RATE / sound.size)


def quietest_dbfs(sound: Sound, window: float = 0.02) -> float:
    """Return the level of the quietest window, which tells of gaps."""
    size = round(window * RATE)
    return min(dbfs(sound[at : at + size]) for at in range(0, sound.size - size, size // 2))


def heard(sound: Sound, above_dbfs: float = -60.0) -> Sound:
    """Return the sound from the first to the last sample that is not silence."""
    loud = np.flatnonzero(np.abs(sound) > 10 ** (above_dbfs / 20))
    return sound[loud[0] : loud[-1] + 1] if loud.size else sound[:0]


def decoded(segment: bytes) -> Sound:
    with av.open(io.BytesIO(segment), "r") as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        assert stream.codec_context.sample_rate == RATE
        frames: list[Any] = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.float64)


@dataclass
class Recording:
    playlist: MediaPlaylist
    sound: Sound
    headers: dict[str, str]


async def text_of(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as response:
        assert response.status == 200
        return await response.text()


async def download(http: aiohttp.ClientSession, url: str) -> Recording:
    """Return all that is listed; every whole segment decodes alone, the sound is that of all of them in a row."""
    playlist = parse_media(await text_of(http, url))
    segments = []
    headers: dict[str, str] = {}
    for segment in playlist.segments:
        async with http.get(urljoin(url, segment.uri)) as response:
            assert response.status == 200
            segments.append(await response.read())
            headers = dict(response.headers)
        if segment is not playlist.segments[-1]:  # it may be too short for FFmpeg to recognize AAC by
            assert decoded(segments[-1]).size == pytest.approx(segment.seconds * RATE, abs=1024)
    return Recording(playlist, decoded(b"".join(segments)), headers)


async def wait_for_playlists(service: ImageFlux, channel_id: str, count: int = 1) -> list[Playlist]:
    """Poll as a client has to: the service tells nobody who does not ask."""
    while len(found := await service.playlists(channel_id)) < count:
        await asyncio.sleep(0.05)
    return found


async def wait_for_segments(http: aiohttp.ClientSession, url: str, count: int) -> MediaPlaylist:
    while len((playlist := parse_media(await text_of(http, url))).segments) < count:
        await asyncio.sleep(0.05)
    return playlist
