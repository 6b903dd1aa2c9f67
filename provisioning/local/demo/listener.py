"""An observer made of code: follows a live playlist, fetches every segment, and keeps what was to be heard."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urljoin

import aiohttp
import av
import numpy as np

from provisioning.local.demo.evidence import Piece, Samples

_log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.1
"""Between two looks at the playlist; the error of `available_at` is half of it."""


class Listener:
    """Downloads a live HLS stream as it appears; `follow` runs until the playlist ends or it is cancelled."""

    def __init__(self, http: aiohttp.ClientSession, on_piece: Callable[[], None]) -> None:
        self._http = http
        self._on_piece = on_piece
        self._known: set[str] = set()
        self.pieces: list[Piece] = []

    @property
    def recording(self) -> Samples:
        """All that was heard so far: int16 mono at 48 kHz."""
        return np.concatenate([piece.samples for piece in self.pieces] or [np.zeros(0, np.int16)])

    def heard_after(self, at: float, pieces: int) -> bool | None:
        """Return True once `pieces` segments became available after monotonic `at`, else None."""
        return sum(piece.available_at > at for piece in self.pieces) >= pieces or None

    async def follow(self, playlist: str) -> None:
        """Fetch every segment of `playlist` as soon as it is listed."""
        ended = False
        while not ended:
            text = await self._text(playlist)
            ended = "#EXT-X-ENDLIST" in text
            for line in text.splitlines():
                if line and not line.startswith("#") and line not in self._known:
                    await self._take(playlist, line)
            await asyncio.sleep(POLL_SECONDS)

    async def _take(self, playlist: str, line: str) -> None:
        url = urljoin(playlist, line)
        if line.split("?", maxsplit=1)[0].endswith(".m3u8"):  # a master playlist: follow its first rendition
            await self.follow(url)
            return
        try:
            async with self._http.get(url, raise_for_status=True) as response:
                data = await response.read()
        except aiohttp.ClientError as error:
            _log.info("segment: %s", error)
            return  # listed still, so it is tried again
        self._known.add(line)
        self.pieces.append(Piece(decode(data), time.monotonic()))
        self._on_piece()

    async def _text(self, url: str) -> str:
        try:
            async with self._http.get(url) as response:
                return await response.text() if response.status == 200 else ""
        except aiohttp.ClientError as error:
            _log.info("playlist: %s", error)
            return ""


def decode(data: bytes) -> Samples:
    """Return the sound of one segment as int16 mono at 48 kHz."""
    with av.open(io.BytesIO(data), "r") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames] or [np.zeros(0, np.int16)])
