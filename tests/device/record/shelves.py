"""Records for tests: their settings, and sounds that can be told apart."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, Samples
from device.audio.level import rms_dbfs
from device.messages.record import FORMAT, Manifest, State
from device.record.recorder import Recorder
from device.record.settings import RecordSettings

POSTED = RecordSettings(keep=True, consent="posted", spare_megabytes=0)
ASKED = RecordSettings(keep=True, consent="asked", spare_megabytes=0)
BEGAN = 1_800_000_000.0


def manifest(session: str = "ab" * 16, began_at: float = BEGAN) -> Manifest:
    """Return the manifest of a record as it begins."""
    return Manifest(
        format=FORMAT, state=State.OPEN, session=session, device="hana", began_at=began_at, consent="posted"
    )


def tone(frequency: float, number: int) -> Samples:
    """Return the block of this number of a tone."""
    times = (np.arange(BLOCK) + number * BLOCK) / RATE
    return (8000 * np.sin(2 * np.pi * frequency * times)).astype(np.int16)


def sing(recorder: Recorder, blocks: int, first: int = 0) -> None:
    """Let a recorder hear tones of 300, 600 and 1200 Hz, from monotonic second 0 on."""
    for number in range(first, first + blocks):
        at = (number + 1) * BLOCK_SECONDS
        recorder.sound(at, tone(300, number), tone(600, number), tone(1200, number))


def decoded(path: Path) -> Samples:
    """Return the sound in a file."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in _frames(container)])


def _frames(container: av.container.InputContainer) -> list[av.AudioFrame]:
    to_mono = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    return [mono for frame in container.decode(audio=0) for mono in to_mono.resample(frame)]


def frequency(samples: Samples) -> float:
    """Return the strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(spectrum.argmax() * RATE / samples.size)


def silent(samples: Samples) -> bool:
    """Tell whether there is nothing to hear."""
    return rms_dbfs(samples) < -60.0
