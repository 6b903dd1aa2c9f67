"""A sound card whose microphone and loudspeaker stand in a simulated room; paced by one thread, like PortAudio's."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Final, Self

import numpy as np

from device.audio.block import RATE, Block, Samples
from device.soundcard.card import Deliver, Feed
from device.soundcard.duplex import Duplex, DuplexCard
from device.soundcard.recording import Recording, recording
from device.soundcard.room import Room
from device.soundcard.settings import SoundSettings
from device.soundcard.talker import Ear, Mark, Talker

_log = logging.getLogger(__name__)

LATE: Final = 0.5
"""Seconds behind its clock after which the card gives up catching up: an overrun of both directions."""

Journal = Callable[[str, float, dict[str, int]], None]
"""Takes what happened in the room, the monotonic time of it, and details; called in the event loop.

What: `said-begin`, `said-end` (first and last sample of an utterance entered the microphone; `number` as `say` returned
it), `speaker-audible`, `speaker-silent` (the loudspeaker, after and before 200 ms below -50 dBFS; `number` counts).
`sample` is the place in the recording of the microphone, or of the loudspeaker.
"""


def _ignore(_what: str, _at: float, _detail: dict[str, int]) -> None:
    pass


class RoomCard(DuplexCard):
    """The simulated room behind the interface of a sound card."""

    name: Final = "simulated room"
    stood_in: Final = True

    def __init__(
        self, settings: SoundSettings, deliver: Deliver, feed: Feed | None = None, journal: Journal = _ignore
    ) -> None:
        self._settings = settings
        self._deliver, self._feed, self._journal = deliver, feed, journal
        self._talker, self._ear = Talker(), Ear()
        self._notes: deque[Callable[[], None]] = deque()

    @property
    def talking(self) -> bool:
        """True while somebody in the room talks, or is about to."""
        return self._talker.talking

    def say(self, samples: Samples) -> int:
        """Let somebody in the room say this, shape (n,), after what was given before; return its number."""
        return self._talker.say(samples)

    async def __aenter__(self) -> Self:
        """Start the room.

        Raises:
            SoundError: a recording cannot be written.
        """
        self._duplex = Duplex(self._announce, self._settings.frames, self._feed)
        self._room = Room(self._settings.room, self._settings.frames)
        with ExitStack() as files:
            heard = files.enter_context(recording(self._settings.room.microphone_wav))
            played = files.enter_context(recording(self._settings.room.loudspeaker_wav))
            self._files = files.pop_all()
        self._stop, self._clock = threading.Event(), 0
        self._thread = threading.Thread(target=self._run, args=(heard, played), name="room")
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread and close the recordings."""
        self._duplex.close()
        self._stop.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self, heard: Recording, played: Recording) -> None:
        try:
            with self._files:
                self._keep_pace(partial(self._tick, heard, played))
        except Exception:  # noqa: BLE001 - the edge of a thread
            _log.exception("the simulated room has stopped")

    def _keep_pace(self, tick: Callable[[float], None]) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            if time.monotonic() - due > LATE:
                self._duplex.input_xruns += 1
                self._duplex.output_xruns += 1
                due = time.monotonic()
            tick(due)
            due += self._settings.frames / RATE

    def _tick(self, heard: Recording, played: Recording, due: float) -> None:
        """Do what a card does in one period that ends at `due`: fetch for the speaker, give from the microphone."""
        count = self._settings.frames
        speaker = np.frombuffer(self._duplex.speak(count, due), np.int16)
        voice, said = self._talker.take(count)
        microphone = self._room.hear(speaker, voice)
        played.take(speaker)
        heard.take(microphone)
        self._note(said, due - count / RATE)
        self._note(self._ear.listen(speaker), due)
        self._clock += count
        self._duplex.hear(microphone, due)

    def _note(self, marks: list[Mark], start: float) -> None:
        for mark in marks:
            detail = {"number": mark.number, "sample": self._clock + mark.offset}
            self._notes.append(partial(self._journal, mark.what, start + mark.offset / RATE, detail))

    def _announce(self, block: Block) -> None:
        while self._notes:
            self._notes.popleft()()
        self._deliver(block)
