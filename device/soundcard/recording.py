"""A WAV file that grows while a card is open."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device.audio.block import RATE, Samples
from device.errors import SoundError


class Recording:
    """Takes samples into a mono 48 kHz WAV file; without a path, into nothing."""

    def __init__(self, file: wave.Wave_write | None) -> None:
        self._file = file

    def take(self, samples: Samples) -> None:
        """Append samples, shape (n,)."""
        if self._file is not None:
            self._file.writeframesraw(samples.tobytes())


@contextmanager
def recording(path: str) -> Iterator[Recording]:
    """Open a recording for as long as the block runs; an empty path records nothing.

    Raises:
        SoundError: the file cannot be written.
    """
    if not path:
        yield Recording(None)
        return
    try:
        disk = Path(path).open("wb")  # noqa: SIM115 - the `with` below closes it
    except OSError as error:
        raise SoundError(f"cannot record to {path}: {error.strerror}") from None
    with disk, wave.open(disk, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", "not compressed"))
        yield Recording(file)
