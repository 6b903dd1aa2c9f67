"""The sounds of one record, encoded to Ogg/Opus as they come; for a thread, since it waits for codec and disk.

Ogg is a stream of pages of a second, each written as soon as it is full: a file whose end is missing plays up to there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av

from device.audio.block import RATE, SILENCE, Samples
from device.messages.record import Track
from device.record.trouble import explained

_CODEC: Final = {"application": "voip", "compression_level": "2", "frame_duration": "20"}
"""Complexity 2: three sounds take 3 % of one core of an AMD EPYC (2026-11-26)."""

_TIME_BASE: Final = Fraction(1, RATE)


class _Sound:
    """One sound, into one file."""

    def __init__(self, path: Path, bit_rate: int, owned: ExitStack) -> None:
        file = owned.enter_context(path.open("xb", buffering=0))
        self._container = owned.enter_context(av.open(file, "w", format="ogg"))
        self._stream: Any = self._container.add_stream("libopus", rate=RATE, options=dict(_CODEC))
        self._stream.layout, self._stream.bit_rate = "mono", bit_rate
        self._samples = 0

    def add(self, samples: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, _TIME_BASE
        self._samples += samples.size
        self._mux(frame)

    def finish(self) -> None:
        self._mux(None)

    def _mux(self, frame: av.AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


class Tracks:
    """All sounds of a record, of the same length at any time.

    Every method raises `RecordError` when codec or disk fail; `close` always lets go of the files.
    """

    def __init__(self, folder: Path, bit_rate: int) -> None:
        self._owned = ExitStack()
        with explained(str(folder)), ExitStack() as owned:
            self._sounds = {track: _Sound(folder / track.file, bit_rate, owned) for track in Track}
            self._owned = owned.pop_all()

    def add(self, block: Mapping[Track, Samples], silence: int = 0) -> None:
        """Append one block of each sound, shape (960,), after so many blocks of silence."""
        with explained("the sounds"):
            for track, sound in self._sounds.items():
                for _ in range(silence):
                    sound.add(SILENCE)
                sound.add(block[track])

    def close(self) -> None:
        """Write what the encoders still hold, and close the files."""
        with explained("the sounds"), self._owned:
            for sound in self._sounds.values():
                sound.finish()


def length(path: Path) -> float:
    """Return how many seconds of sound are in a file that may have been cut short.

    Raises:
        RecordError: it cannot be read.
    """
    with explained(str(path)), av.open(str(path)) as container:
        return 0.0 if container.duration is None else container.duration / av.time_base
