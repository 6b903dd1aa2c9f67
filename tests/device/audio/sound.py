"""Sounds to test with: made here, the same each time."""

from __future__ import annotations

import numpy as np

from device.audio.block import BLOCK, RATE, Samples


def speech(seconds: float, pause_every: float = 2.0) -> Samples:
    """Something a speech codec takes for speech: gliding harmonics in syllables, with pauses of 0.4 s."""
    at = np.arange(round(seconds * RATE)) / RATE
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    vowel = 0.5 + 0.5 * np.sin(2 * np.pi * 1.3 * at)
    wave = sum((np.sin(k * phase) / k * (1 + vowel * (k in {4, 5, 9})) for k in range(1, 20)), np.zeros_like(at))
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * at) + 0.6, 0, 1)
    speaking = (at % pause_every) < pause_every - 0.4
    return np.round(6000 * wave * syllables * speaking).clip(-30000, 30000).astype(np.int16)


def tone(seconds: float, hertz: float = 440.0, amplitude: float = 8000.0) -> Samples:
    at = np.arange(round(seconds * RATE)) / RATE
    return np.round(amplitude * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def noise(seconds: float, amplitude: float = 8000.0, seed: int = 1) -> Samples:
    values = np.random.default_rng(seed).uniform(-amplitude, amplitude, round(seconds * RATE))
    return values.astype(np.int16)


def blocks(samples: Samples) -> list[Samples]:
    return [samples[start : start + BLOCK] for start in range(0, samples.size - BLOCK + 1, BLOCK)]


def likeness(one: Samples, other: Samples, most: int = 0) -> float:
    """The largest correlation of two sounds when `other` may be up to `most` samples later."""
    length = min(one.size, other.size - most)
    first = one[:length].astype(np.float64)
    return max(_correlation(first, other[lag : lag + length].astype(np.float64)) for lag in range(0, most + 1, 12))


def _correlation(one: np.typing.NDArray[np.float64], other: np.typing.NDArray[np.float64]) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size else 0.0
