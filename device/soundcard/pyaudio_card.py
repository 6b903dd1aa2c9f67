"""The sound card of this computer, through PortAudio: two streams with a callback each, which only copy.

One stream for both directions would miss its time again and again where microphone and speaker are two devices.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from device.audio.block import BLOCK, RATE
from device.errors import SoundError
from device.soundcard.card import Deliver, Feed
from device.soundcard.devices import choose, open_portaudio
from device.soundcard.duplex import Duplex, DuplexCard
from device.soundcard.settings import SoundSettings

with suppress(ImportError):  # `open_portaudio` tells it
    import pyaudio

_log = logging.getLogger(__name__)

_Answer = tuple[bytes | None, int]
_Callback = Callable[[Any, int, Mapping[str, float], int], _Answer]


class PyAudioCard(DuplexCard):
    """The chosen microphone and speaker of this computer."""

    stood_in: Final = False

    def __init__(self, settings: SoundSettings, deliver: Deliver, feed: Feed | None = None) -> None:
        self._settings, self._deliver, self._feed = settings, deliver, feed
        self._audio: pyaudio.PyAudio | None = None
        self._streams: list[Any] = []
        self.name = "PyAudio"

    @property
    def running(self) -> bool:
        """Whether both streams go on; False once PortAudio has ended one, because its device is gone or in error."""
        return all(stream.is_active() for stream in self._streams)

    async def __aenter__(self) -> Self:
        """Open both streams, off the event loop.

        Raises:
            SoundError: no such device, it refuses 48 kHz mono, or it is in use.
        """
        self._duplex = Duplex(self._deliver, self._settings.frames, self._feed)
        try:
            await _to_its_end(self._open)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both streams, off the event loop."""
        await self._end()

    async def _end(self) -> None:
        self._duplex.close()
        await _to_its_end(self._close)

    def _open(self) -> None:
        self._audio = audio = open_portaudio()
        speaker = choose(audio, self._settings.output, "speaker")
        microphone = choose(audio, self._settings.input, "microphone")
        self.name = f"{microphone.name} and {speaker.name}"
        try:
            self._streams = [
                self._stream(audio, self._settings.frames, self._speak, output=True, output_device_index=speaker.index),
                # The microphone may call once a block: a block is whole no sooner for coming in two pieces.
                self._stream(audio, BLOCK, self._hear, input=True, input_device_index=microphone.index),
            ]
            for stream in self._streams:
                stream.start_stream()
        except OSError as error:
            raise SoundError(f"{self.name} cannot be opened: {error.args[-1]}") from error
        _log.info("sound: %s", self.name)

    def _stream(self, audio: pyaudio.PyAudio, frames: int, callback: _Callback, **side: Any) -> Any:
        return audio.open(
            RATE, 1, pyaudio.paInt16, frames_per_buffer=frames, start=False, stream_callback=_guarded(callback), **side
        )

    def _close(self) -> None:
        self._streams = []
        if self._audio is not None:
            self._audio.terminate()
            self._audio = None

    def _hear(self, data: bytes, _count: int, _times: Mapping[str, float], flags: int) -> _Answer:
        """Take what was captured, in PortAudio's thread."""
        self._duplex.input_xruns += bool(flags & pyaudio.paInputOverflow)
        self._duplex.hear(np.frombuffer(data, np.int16), time.monotonic())
        return None, pyaudio.paContinue

    def _speak(self, _data: None, count: int, _times: Mapping[str, float], flags: int) -> _Answer:
        """Give what is to be played, in PortAudio's thread."""
        self._duplex.output_xruns += bool(flags & pyaudio.paOutputUnderflow)
        return self._duplex.speak(count, time.monotonic()), pyaudio.paContinue


async def _to_its_end(work: Callable[[], None]) -> None:
    """Do `work` in a thread; who is cancelled meanwhile still waits, because what it opens or closes must not be lost."""
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        working.exception()  # of no more interest, and so not reported as forgotten
        raise


def _guarded(callback: _Callback) -> _Callback:
    """Return the callback such that a mistake in it is logged and ends its stream, and not the process."""

    @functools.wraps(callback)
    def guarded(data: Any, count: int, times: Mapping[str, float], flags: int) -> _Answer:
        try:
            return callback(data, count, times, flags)
        except Exception:  # noqa: BLE001 - the edge of a thread
            _log.exception("a stream of the sound card has stopped")
            return None, pyaudio.paAbort

    return guarded
