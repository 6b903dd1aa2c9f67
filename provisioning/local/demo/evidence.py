"""PURE. Finding a known sound in a recording: the proof that a link really carried it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
_FRAME: Final = RATE // 50
_HOP: Final = RATE // 100
"""Frames of 20 ms every 10 ms."""

_EDGES: Final = np.geomspace(150.0, 6000.0, 19)
"""Edges of the bands in Hz: 18 of about a third of an octave, where speech is."""

FOUND: Final = 0.6
"""Normalised correlation above which a sound counts as found. Other words of the same voice reach 0.45; the same words
through echo control, playout, Opus and AAC reach 0.8 and more."""

_STRAY: Final = RATE // 4
"""How far a piece may be from its place: 250 ms, more than playout ever corrects within one utterance."""

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a sound begins in a recording, how alike the two are, and how loud it is there."""

    start: int
    """Sample index in the recording, at 48 kHz, to 10 ms."""
    likeness: float
    """Normalised correlation, 0..1."""
    dbfs: float
    """RMS level of the recording over the sound's length, in dB of full scale."""

    @property
    def found(self) -> bool:
        """True when the likeness is beyond chance."""
        return self.likeness >= FOUND


def level_dbfs(samples: Samples) -> float:
    """Return the RMS level in dBFS of int16 samples of any length; -100 for silence."""
    if samples.size == 0:
        return -100.0
    rms = float(np.sqrt(np.mean(np.square(samples.astype(np.float64)))))
    return max(-100.0, 20 * float(np.log10(max(rms, 1e-9) / 32768.0)))


def find(sound: Samples, recording: Samples) -> Finding:
    """Find `sound` in `recording`, both int16 mono at 48 kHz, by how the spectrum goes.

    Playout stretches and shortens speech by single periods to keep its delay, which a comparison of waveforms does not
    survive; the course of the energy in bands does. Searched in pieces of about a second, which must be found in the
    places they have in the sound; `likeness` is their median.
    """
    if sound.size < _FRAME or recording.size < sound.size:
        return Finding(0, 0.0, -100.0)
    hay = _bands(recording)
    pieces = [_place(piece, hay) for piece in np.array_split(sound, max(1, sound.size // RATE))]
    offsets = np.cumsum([0, *(size for size, _, _ in pieces[:-1])])
    starts = np.array([place for _, place, _ in pieces]) - offsets
    start = max(0, int(np.median(starts)))
    alike = [likeness if abs(at - start) < _STRAY else 0.0 for (_, _, likeness), at in zip(pieces, starts, strict=True)]
    return Finding(start, float(np.median(alike)), level_dbfs(recording[start : start + sound.size]))


def _place(piece: Samples, hay: NDArray[np.float64]) -> tuple[int, int, float]:
    """Return the length of `piece`, where it is most likely in `hay`, in samples at 48 kHz, and how likely that is."""
    likeness = _correlation(_bands(piece), hay)
    best = int(np.argmax(likeness))
    return piece.size, best * _HOP, float(likeness[best])


def _bands(samples: Samples) -> NDArray[np.float64]:
    """Return the level in dB of each band every 10 ms, shape (frames, bands); what is 50 dB below the peak is floor."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), _FRAME)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)))
    edges = (_EDGES * _FRAME / RATE).astype(int)
    energy = np.stack([power[:, low:high].sum(axis=1) for low, high in itertools.pairwise(edges)], axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(energy, max(energy.max() * 1e-5, 1.0)))
    return levels


def _correlation(needle: NDArray[np.float64], hay: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normalised correlation of two courses of bands at every place the shorter one fits in."""
    needle = needle - needle.mean(axis=0)
    count, size = len(needle), 1 << (len(needle) + len(hay)).bit_length()
    spectrum = np.fft.rfft(hay, size, axis=0) * np.conj(np.fft.rfft(needle, size, axis=0))
    product = np.fft.irfft(spectrum, size, axis=0)[: len(hay) - count + 1].sum(axis=1)
    variance = (_sums(np.square(hay), count) - np.square(_sums(hay, count)) / count).sum(axis=1)
    likeness: NDArray[np.float64] = product / (np.sqrt(np.maximum(variance, 1e-9)) * max(np.linalg.norm(needle), 1e-9))
    return likeness


def _sums(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    sums: NDArray[np.float64] = total[count:] - total[:-count]
    return sums


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a stream, and when it could be downloaded."""

    samples: Samples
    available_at: float
    """Monotonic seconds."""


def delay_ms(finding: Finding, length: int, spoken_at: float, pieces: list[Piece]) -> float:
    """Return the median time in ms from a sample at the microphone to the same sample being downloadable.

    `spoken_at` is the monotonic time at which the first of `length` samples was at the microphone; `pieces` are the
    stream from its first sample on, in which `finding` was made. Taken every 10 ms of the sound.
    """
    ends = np.cumsum([piece.samples.size for piece in pieces])
    offsets = np.arange(0, length, RATE // 100)
    index = np.searchsorted(ends, finding.start + offsets, side="right").clip(max=len(pieces) - 1)
    available = np.array([piece.available_at for piece in pieces])[index]
    return 1000 * float(np.median(available - (spoken_at + offsets / RATE)))
