"""Owner of the records on this robot: takes sounds and events without waiting, and writes them in a thread.

What the voice path hands over is put into a queue, and nothing more is done with it there. Twice a second the queue is
carried to the disk. When the disk is too slow for ten seconds, blocks are dropped, counted, and replaced by silence; when it
fails or is full, the record ends there and the conversation goes on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from device.audio.block import Samples
from device.errors import KaiwaError
from device.messages.record import Happened, Manifest, State, Track
from device.record.folder import RecordFolder
from device.record.pace import Pace
from device.record.settings import RecordSettings
from device.record.shelf import Shelf

_log = logging.getLogger(__name__)

MOST_BLOCKS: Final = 500
"""Blocks that wait for the disk: 10 s."""

MOST_EVENTS: Final = 2000
"""Everything else that waits."""

WRITE_SECONDS: Final = 0.5
"""Between two journeys to the disk."""

TIDY_SECONDS: Final = 86_400.0
"""Between two looks at what has become too old."""

ROOM_BLOCKS: Final = 500
"""Blocks after which it is looked again whether there is room: 10 s."""

CLOSE_SECONDS: Final = 10.0
"""How long the end of the process waits for the disk."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A record begins, with its first sound at monotonic time `origin`."""

    manifest: Manifest
    origin: float


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One block of each sound, the last sample captured at monotonic time `at`."""

    at: float
    near: Samples
    played: Samples
    mixed: Samples


@dataclass(frozen=True, slots=True)
class End:
    """A record ends; its length and what was lost are filled in."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Discard:
    """A record ends and is deleted."""


Item = Begin | Sound | Happened | End | Discard


class Recorder:
    """Takes one record after the other; no method waits or fails, but `run` and `tidy`."""

    def __init__(self, settings: RecordSettings, shelf: Shelf) -> None:
        self._writer = _Writer(settings, shelf)
        self._queue: list[Item] = []
        self._blocks = 0
        self._changed = asyncio.Event()
        self._going_on = self._ending = False
        self.dropped = 0
        """Blocks that found the queue full."""

    @property
    def keeps(self) -> bool:
        """Whether the record that goes on, or was the last, has not failed."""
        return not self._writer.failed

    def begin(self, manifest: Manifest, origin: float) -> None:
        """Begin a record whose sounds begin at monotonic time `origin`."""
        self._going_on = True
        self._queue.append(Begin(manifest, origin))
        self._changed.set()

    def sound(self, at: float, near: Samples, played: Samples, mixed: Samples) -> None:
        """Take one block of each sound, shape (960,); the caller does not change them afterwards."""
        if self._blocks >= MOST_BLOCKS:
            self.dropped += 1
            return
        self._blocks += 1
        self._queue.append(Sound(at, near, played, mixed))

    def happened(self, event: Happened) -> None:
        """Take what happened."""
        if len(self._queue) - self._blocks < MOST_EVENTS:
            self._queue.append(event)

    def end(self, manifest: Manifest) -> None:
        """End the record that goes on."""
        self._close(End(manifest))

    def discard(self) -> None:
        """End the record that goes on, and delete it."""
        self._close(Discard())

    def _close(self, item: End | Discard) -> None:
        self._going_on = False
        self._queue.append(item)
        self._changed.set()

    async def run(self) -> None:
        """Carry what comes to the disk until `stop`, and once more then."""
        while not self._ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_SECONDS if self._going_on else None):
                    await self._changed.wait()
            self._changed.clear()
            await self._carry()
        await self._carry()

    async def _carry(self) -> None:
        items, self._queue, self._blocks = self._queue, [], 0
        if items:
            await asyncio.to_thread(self._writer.write, items)

    async def tidy(self) -> None:
        """Delete what is too old or too much, now and every day, for ever."""
        while True:
            await asyncio.to_thread(self._writer.clear)
            await asyncio.sleep(TIDY_SECONDS)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._ending = True
        self._changed.set()


class _Writer:
    """The other end of the queue; used by one thread at a time."""

    def __init__(self, settings: RecordSettings, shelf: Shelf) -> None:
        self._settings, self._shelf = settings, shelf
        self._folder: RecordFolder | None = None
        self._broken: RecordFolder | None = None
        """The record that failed before its end: it may still be taken back."""
        self._pace = Pace(0.0)
        self._lost = 0
        self.failed = False

    def write(self, items: list[Item]) -> None:
        """Write all of it; whatever fails ends the record, and nothing else."""
        for item in items:
            try:
                self._take(item)
            except KaiwaError as error:
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001 - the edge of the thread: whatever breaks here, the talk goes on
                _log.exception("a record has failed")
                self._fail(type(error).__name__)

    def clear(self) -> None:
        """Delete what is too old or too much."""
        try:
            self._shelf.clear(time.time())
        except KaiwaError as error:
            _log.warning("records are not tidied: %s", error)

    def _take(self, item: Item) -> None:
        folder = self._folder
        match item:
            case Begin():
                self._begin(item)
            case Discard():
                self._discard()
            case _ if folder is None:
                pass  # it has failed
            case Sound():
                self._sound(folder, item)
            case End(manifest):
                self._folder = None
                folder.close(self._filled(manifest))
                self.clear()
            case _:
                folder.happened(item)

    def _begin(self, begin: Begin) -> None:
        self.failed, self._broken = False, None
        self._shelf.check_room()
        self._pace, self._lost = Pace(begin.origin), 0
        self._folder = RecordFolder(self._shelf.path, begin.manifest, self._settings.bit_rate)

    def _discard(self) -> None:
        folder, self._folder, self._broken = self._folder or self._broken, None, None
        if folder is not None:
            folder.discard()

    def _sound(self, folder: RecordFolder, sound: Sound) -> None:
        silence = self._pace.place(sound.at)
        if silence is None:
            return
        self._lost += silence
        blocks = {Track.NEAR: sound.near, Track.PLAYED: sound.played, Track.MIXED: sound.mixed}
        folder.sound(blocks, silence)
        if self._pace.written % ROOM_BLOCKS == 0:
            self._shelf.check_room()

    def _filled(self, manifest: Manifest) -> Manifest:
        return msgspec.structs.replace(manifest, state=State.CLOSED, seconds=self._pace.seconds, lost_blocks=self._lost)

    def _fail(self, why: str) -> None:
        """End the record where it stands; if even that fails, the next start does it."""
        folder, self._folder, self.failed = self._folder, None, True
        self._broken = folder or self._broken
        _log.warning("this conversation is recorded no further: %s", why)
        if folder is None:
            return
        try:
            folder.close(msgspec.structs.replace(self._filled(folder.manifest), end_reason=f"recording failed: {why}"))
        except KaiwaError as error:
            _log.warning("the record is left open: %s", error)


@asynccontextmanager
async def recording(settings: RecordSettings, shelf: Shelf) -> AsyncIterator[Recorder | None]:
    """Keep records for as long as the context lasts; None where nothing may be kept.

    At the start, what was left open is closed, and what is too old deleted; that again every day, and whether any more
    is kept or not.
    """
    await asyncio.to_thread(_open, shelf)
    recorder = Recorder(settings, shelf)
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(recorder.run(), name="records")
        tidying = tasks.create_task(recorder.tidy(), name="old records")
        try:
            yield recorder if settings.active else None
        finally:
            recorder.stop()
            tidying.cancel()
            await asyncio.wait({writing}, timeout=CLOSE_SECONDS)
            writing.cancel()


def _open(shelf: Shelf) -> None:
    try:
        shelf.close_left_open()
    except KaiwaError as error:
        _log.warning("records: %s", error)
