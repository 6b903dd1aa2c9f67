"""What was heard at the board's loudspeaker: how loud, and at which pitch."""

from __future__ import annotations

import io
import wave
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
HEARD: Final = -45.0
"""dBFS; an earcon peaks at -18, and a card that plays nothing gives -120."""

ALIKE: Final = 0.4
"""Of an earcon in what was recorded, of 1; an emulated card misses its time again and again, and no fault's earcon comes to 0.3."""

PIECE: Final = RATE * 3 // 10
"""Samples that are looked for at once: an emulated card leaves out a little every other second."""

Samples = NDArray[np.int16]


def samples(recorded: bytes) -> Samples:
    """Return the left channel of a WAV file of 16 bits; one that was cut off as far as it goes."""
    with wave.open(io.BytesIO(recorded)) as file:
        channels = file.getnchannels()
        frames = file.readframes(file.getnframes())
    whole = len(frames) // (2 * channels) * 2 * channels
    return np.frombuffer(frames[:whole], np.int16)[::channels]


def level(heard: Samples) -> float:
    """Return the level of its loudest tenth of a second, RMS in dBFS; -120 for silence."""
    blocks = heard[: len(heard) // 4800 * 4800].astype(float).reshape(-1, 4800)
    loudest = float(np.sqrt(np.square(blocks).mean(axis=1)).max(initial=0.0))
    return 20.0 * float(np.log10(loudest / 32768.0)) if loudest > 0.03 else -120.0


def likeness(heard: Samples, expected: Samples) -> float:
    """Return how alike what was heard is to what was to be heard, at the best place: the peak of the normalized
    cross-correlation, 0 to 1."""
    size = 1 << (len(heard) + len(expected) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(expected, size))
    products = np.abs(np.fft.irfft(spectrum, size)[: max(1, len(heard) - len(expected) + 1)])
    power = np.cumsum(np.concatenate([[0.0], np.square(heard.astype(float))]))
    windows = power[len(expected) :] - power[: len(power) - len(expected)]
    best = products[: len(windows)] / np.sqrt(np.maximum(windows, 1.0) * np.square(expected.astype(float)).sum())
    return float(best.max(initial=0.0))


def pieces(heard: Samples, expected: Samples) -> float:
    """Return how alike what was heard is to the pieces of `expected`, each at its best place: the mean, 0 to 1.

    Sounds of one family have pieces in common, so that this tells which of them it was, by comparison; silent ones do not count.
    """
    rows = expected[: len(expected) // PIECE * PIECE].reshape(-1, PIECE)
    power = np.square(rows.astype(float)).mean(axis=1)
    return float(np.mean([likeness(heard, row) for row in rows[power > 0.2 * power.max()]]))
