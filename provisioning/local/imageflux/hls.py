"""HLS of one publisher: packets in, playlists on disk, on a clock of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import av

from provisioning.channels import floored_audio_bps
from provisioning.local.imageflux.captions import CaptionPush, id3
from provisioning.local.imageflux.opus import samples_in
from provisioning.local.imageflux.playlist import codecs_of, master, picture_bps
from provisioning.local.imageflux.requests import HlsRequest
from provisioning.local.imageflux.segments import PLAYLIST, RATE, Mark, Piece, Rendition, SegmentWriter
from provisioning.local.imageflux.timeline import Timeline, Unwrapped

_log = logging.getLogger(__name__)

TICK: Final = 0.04
"""Seconds between writes; two packets' worth."""
MOST_WAITING: Final = 250
"""Packets (5 s) that may wait for the worker thread; more than that and the oldest are dropped."""


class HlsStream:
    """One publisher's playlists, from its connection to its end.

    Args:
        folder: where its files go; the stream makes it and leaves it there, ended, for late viewers.
        renditions: as the channel was created; at least one.
        listed: segments in a live playlist.
        picture: the codec of the picture that will come with the sound (`video/H264`), None for sound alone.

    `ready` is set when the first segment can be downloaded; from then on `date_shift` tells how many seconds to add to
    the dates in its playlists, because writing them began a little after the programme.
    """

    def __init__(
        self, folder: Path, renditions: Sequence[HlsRequest], *, listed: int, picture: str | None = None
    ) -> None:
        self.ready = asyncio.Event()
        self._folder, self._renditions, self._listed = folder, list(renditions), listed
        self.date_shift = 0.0
        self.began = time.time()
        """Unix seconds of the programme's first sample."""
        self._timeline = Timeline(time.monotonic())
        self._waiting: list[Piece] = []
        self._marks: list[Mark] = []
        self._unwrapped = Unwrapped()
        self._picture = picture
        self._pictures: list[bytes] = []
        self.codecs = [codecs_of(wish.video if picture else None) for wish in renditions]
        """Of each rendition, as RFC 6381 has it."""

    def push(self, opus: bytes, timestamp: int) -> None:
        """Take one packet with its RTP timestamp; never blocks."""
        samples = samples_in(opus)
        if not samples:
            return
        placed = self._timeline.place(self._unwrapped(timestamp), samples, time.monotonic())
        self._waiting.append(Piece(placed.silence, opus, samples, placed.skip))
        del self._waiting[:-MOST_WAITING]

    def push_picture(self, data: bytes, _timestamp: int) -> None:
        """Take one encoded picture; it is shown from now on. Never blocks."""
        self._pictures.append(data)
        del self._pictures[:-MOST_WAITING]

    def say(self, caption: CaptionPush) -> None:
        """Put a caption into the stream as timed metadata, at the moment at which it is heard; never blocks."""
        self._marks.append(Mark(round((caption.start - self.began) * RATE), id3(caption)))
        del self._marks[:-MOST_WAITING]

    async def run(self) -> None:
        """Write until cancelled, then end the playlists; one thread does all of it, in order."""
        with ThreadPoolExecutor(1, thread_name_prefix="hls") as thread:
            try:
                await self._written(thread)
            except (OSError, av.FFmpegError):
                _log.exception("the playlists in %s end here", self._folder)

    async def _written(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        writer = await loop.run_in_executor(thread, self._open)
        self.date_shift = self.began - writer.dated
        try:
            while True:
                await asyncio.sleep(TICK)
                await loop.run_in_executor(thread, writer.write, self._taken(), self._marked(), self._seen())
                if (self._home(0) / PLAYLIST).exists():
                    self.ready.set()
        finally:
            await loop.run_in_executor(thread, writer.end, self._taken())

    def _taken(self) -> list[Piece]:
        pieces, self._waiting = self._waiting, []
        due = self._timeline.silence_due(time.monotonic())
        return [*pieces, Piece(due)] if due else pieces

    def _marked(self) -> list[Mark]:
        marks, self._marks = self._marks, []
        return marks

    def _seen(self) -> list[bytes]:
        pictures, self._pictures = self._pictures, []
        return pictures

    def _open(self) -> SegmentWriter:
        rates = [floored_audio_bps(wish.audio.bps) for wish in self._renditions]
        writer = SegmentWriter(
            [
                Rendition(
                    self._home(number),
                    seconds=wish.durationSeconds,
                    bps=rate,
                    listed=self._listed,
                    video=wish.video if self._picture else None,
                )
                for number, (wish, rate) in enumerate(zip(self._renditions, rates, strict=True))
            ],
            self._picture,
        )
        if len(rates) > 1:
            addresses = [
                (f"{number}/{PLAYLIST}", rate + picture_bps(wish, self._picture), self.codecs[number])
                for number, (wish, rate) in enumerate(zip(self._renditions, rates, strict=True))
            ]
            (self._folder / PLAYLIST).write_text(master(addresses))
        return writer

    def _home(self, number: int) -> Path:
        return self._folder / str(number) if len(self._renditions) > 1 else self._folder
