"""PURE. What is played to measure a room: quiet, chirps, then noise that swells like speech.

A chirp tells when; correlated with itself it is as sharp as its band is wide (Farina, "Simultaneous Measurement of
Impulse Response and Distortion with a Swept-Sine Technique", AES 108, 2000). Noise that swells four times a second,
as syllables do, tells how loud, and gives an echo canceller what it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import RATE, Samples

PEAK: Final = 32767.0 * 10.0 ** (-9.0 / 20.0)
"""Largest sample: -9 dBFS, about as loud as the assistant speaks."""

CHIRP_SECONDS: Final = 0.15
_BAND: Final = (300.0, 7000.0)
_EDGE: Final = 0.01
_SYLLABLES: Final = 4.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each part lasts, in seconds."""

    quiet: float = 1.5
    """Before the first chirp: the noise floor is measured there."""
    chirps: int = 12
    spacing: float = 0.75
    """From chirp to chirp; delays up to `spacing` less a chirp can be told apart."""
    noise: float = 6.0
    tail: float = 0.8
    """After the noise, until its echo has surely come."""

    @property
    def span(self) -> float:
        """Seconds from the first chirp's beginning to the noise."""
        return self.chirps * self.spacing

    @property
    def seconds(self) -> float:
        """Length of what is played; the tail comes after."""
        return self.quiet + self.span + self.noise


@cache
def chirp() -> NDArray[np.float64]:
    """Return one chirp, shape (7200,), peak 1: an exponential sweep with soft edges."""
    time = np.arange(round(CHIRP_SECONDS * RATE)) / RATE
    low, high = _BAND
    rate = np.log(high / low) / CHIRP_SECONDS
    sweep = np.sin(2.0 * np.pi * low / rate * (np.exp(rate * time) - 1.0))
    return _soft(sweep)


def _soft(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    edge = round(_EDGE * RATE)
    ramp = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, edge))
    sound[:edge] *= ramp
    sound[-edge:] *= ramp[::-1]
    return sound


def swelling(seconds: float) -> NDArray[np.float64]:
    """Return noise of the band of speech that swells like it, peak 1; always the same."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(count))
    pitches = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= (pitches > _BAND[0]) / np.sqrt(1.0 + (pitches / 1000.0) ** 2)  # speech falls off above 1 kHz
    spectrum[pitches > _BAND[1]] = 0.0
    swell = 0.5 - 0.5 * np.cos(2.0 * np.pi * _SYLLABLES * np.arange(count) / RATE)
    sound = np.fft.irfft(spectrum, count) * swell**2
    return _soft(sound / np.abs(sound).max())


def stimulus(plan: Plan) -> Samples:
    """Return all of it, shape (n,)."""
    sound = np.zeros(round(plan.seconds * RATE))
    for number in range(plan.chirps):
        start = round((plan.quiet + number * plan.spacing) * RATE)
        sound[start : start + len(chirp())] = chirp()
    noise = swelling(plan.noise)
    sound[len(sound) - len(noise) :] = noise
    return np.rint(sound * PEAK).astype(np.int16)
