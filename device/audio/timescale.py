"""PURE. A little less or more sound for the same speech, without a click and without a change of pitch.

Speech is made shorter or longer by one period of its pitch where two neighbouring periods are alike enough to be laid
over each other: WSOLA (Verhelst and Roelands, "An overlap-add technique based on waveform similarity", 1993), with the
periods that NetEq of WebRTC looks for. Pauses may lose or gain any number of samples. Sound that is only a few millionths
too fast or slow is stretched by a sample a block.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import Samples

LONGEST_PERIOD: Final = 480
"""Samples: 10 ms, a voice of 100 Hz; twice as much must fit into what is changed."""
SHORTEST_PERIOD: Final = 96
"""Samples: 2 ms."""

_COARSE = 4  # every fourth sample is looked at first
_SEAM: Final = 96  # samples that are laid over each other in a pause


def shorten(sound: Samples, likeness: float) -> Samples:
    """Return `sound`, shape (n,) with n >= 960, shorter by one period; as it is if no two are alike (0 to 1) enough."""
    period = _period(sound, likeness)
    if not period:
        return sound
    return np.concatenate((_blend(sound[:period], sound[period : 2 * period]), sound[2 * period :]))


def lengthen(sound: Samples, likeness: float) -> Samples:
    """Return `sound`, shape (n,) with n >= 960, longer by one period; as it is if no two are alike (0 to 1) enough."""
    period = _period(sound, likeness)
    if not period:
        return sound
    return np.concatenate((sound[:period], _blend(sound[period : 2 * period], sound[:period]), sound[period:]))


def cut(sound: Samples, count: int) -> Samples:
    """Return a pause without its first `count` samples, as far as there are so many; its edges stay where they are."""
    if not count:
        return sound
    if count + _SEAM > sound.size:
        return sound[sound.size :]
    seam = _blend(sound[:_SEAM], sound[count : count + _SEAM])
    return np.concatenate((seam, sound[count + _SEAM :]))


def extend(sound: Samples, count: int) -> Samples:
    """Return a pause longer by `count` samples, at most by its own length."""
    count = min(count, sound.size)
    if count + _SEAM > sound.size:
        return np.concatenate((sound[:count], sound))
    seam = _blend(sound[count : count + _SEAM], sound[:_SEAM])
    return np.concatenate((sound[:count], seam, sound[_SEAM:]))


def stretched(sound: Samples, count: int) -> Samples:
    """Return `sound` as `count` samples, between which it is interpolated linearly: for a sample or two in a block."""
    if sound.size == count:
        return sound
    left, share = _places(sound.size, count)
    wave = sound.astype(np.float64)
    between: Samples = np.rint(wave[left] + (wave[left + 1] - wave[left]) * share).astype(np.int16)
    return between


@lru_cache(maxsize=8)
def _places(size: int, count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return between which samples of `size` each of `count` lies: the one to its left, and its share of the next."""
    places = np.linspace(0.0, size - 1.0, count)
    left = np.minimum(places.astype(np.intp), size - 2)
    return left, places - left


def _blend(first: Samples, second: Samples) -> Samples:
    weight = np.linspace(0.0, 1.0, first.size, dtype=np.float32)
    blended: Samples = np.rint(first * (1 - weight) + second * weight).astype(np.int16)
    return blended


def _period(sound: Samples, likeness: float) -> int:
    if sound.size < 2 * LONGEST_PERIOD:
        return 0
    wave = sound[: 2 * LONGEST_PERIOD].astype(np.float32)
    coarse = wave.reshape(-1, _COARSE).mean(axis=1)
    rough, _ = _most_alike(coarse, SHORTEST_PERIOD // _COARSE, LONGEST_PERIOD // _COARSE)
    middle = rough * _COARSE
    first, last = max(SHORTEST_PERIOD, middle - _COARSE), min(LONGEST_PERIOD, middle + _COARSE)
    period, alike = _most_alike(wave, first, last)
    return period if alike >= likeness else 0


def _most_alike(wave: np.typing.NDArray[np.float32], first: int, last: int) -> tuple[int, float]:
    """Return the lag from `first` to `last` at which the wave is most like itself, and how much, -1 to 1."""
    length = wave.size - last
    start = wave[:length]
    later = np.lib.stride_tricks.sliding_window_view(wave, length)[first : last + 1]
    sizes = np.sqrt(np.einsum("ij,ij->i", later, later) * np.dot(start, start)) + 1.0
    alike = (later @ start) / sizes
    best = int(np.argmax(alike))
    return first + best, float(alike[best])
