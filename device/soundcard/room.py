"""PURE. A room with a loudspeaker, a microphone and somebody who talks, computed piece by piece.

loudspeaker ─► soft nonlinearity ─► delay ─► band limit, reverberation, echo loss ─┐
somebody's voice ─────────────────────────────────────────────────────────────────┼─► microphone
noise ────────────────────────────────────────────────────────────────────────────┘

Small loudspeakers bend what is loud and give nothing below 150 Hz; the reverberation is noise that decays
exponentially (Moorer, "About This Reverberation Business", 1979). The convolution is uniformly partitioned
overlap-save (Wefers, "Partitioned convolution algorithms for real-time auralization", 2015, chapter 5).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import RATE, Samples
from device.soundcard.settings import RoomSettings

_FULL_SCALE: Final = 32768.0
_DRIVE: Final = 1.2
_SECOND_ORDER: Final = 0.05
_BAND: Final = (150.0, 7000.0)
_SPEECH: Final = (300.0, 3400.0)
_LEAD: Final = 240
_REVERBERANT: Final = 0.35

Floats = NDArray[np.float32]
Pitches = NDArray[np.floating[Any]]


class Room:
    """One room, deterministic by its settings; `hear` is called with pieces of always the same length."""

    def __init__(self, settings: RoomSettings, frames: int) -> None:
        delay = round(settings.delay * RATE)
        lead = min(_LEAD, delay)
        self._waiting: Floats = np.zeros(delay - lead, np.float32)
        self._echo = Convolution(impulse_response(settings, lead), frames)
        self._random = np.random.default_rng(settings.seed)
        self._noise = np.float32(_FULL_SCALE * 10.0 ** (settings.noise / 20.0))

    def hear(self, played: Samples, near: Samples) -> Samples:
        """Return what the microphone captures, shape (frames,), while these two, of the same shape, sound."""
        echo = self._echo.feed(self._delayed(_bent(played)))
        noise = self._random.standard_normal(len(near), np.float32) * self._noise
        return np.clip(np.rint(echo * _FULL_SCALE + near + noise), -32768, 32767).astype(np.int16)

    def _delayed(self, sound: Floats) -> Floats:
        line = np.concatenate((self._waiting, sound))
        self._waiting = line[len(sound) :]
        return line[: len(sound)]


def _bent(played: Samples) -> Floats:
    sound = played.astype(np.float32) / _FULL_SCALE
    bent: Floats = np.tanh(_DRIVE * sound) / _DRIVE + _SECOND_ORDER * sound * sound
    return bent


def impulse_response(settings: RoomSettings, lead: int) -> Floats:
    """Return the way from loudspeaker to microphone as a filter; its direct sound is at sample `lead`.

    Its mean power gain between 300 and 3400 Hz is the echo loss of the settings.
    """
    random = np.random.default_rng(settings.seed)
    seconds = np.arange(round(settings.reverberation * RATE)) / RATE
    tail = random.standard_normal(len(seconds)) * 10.0 ** (-3.0 * seconds / settings.reverberation)
    response = np.zeros(lead + len(seconds))
    response[lead:] = tail * (_REVERBERANT / np.sqrt(np.sum(tail**2)))
    response[lead] += 1.0
    spectrum, pitches = _spectrum(response)
    response = np.fft.irfft(spectrum * _band_pass(pitches))[: len(response)]
    spectrum, pitches = _spectrum(response)
    power = np.mean(np.abs(spectrum[(pitches >= _SPEECH[0]) & (pitches <= _SPEECH[1])]) ** 2)
    scaled: Floats = (response * (10.0 ** (-settings.echo_loss / 20.0) / np.sqrt(power))).astype(np.float32)
    return scaled


def _spectrum(response: NDArray[np.float64]) -> tuple[NDArray[np.complex128], Pitches]:
    size = 2 * len(response)
    return np.fft.rfft(response, size), np.fft.rfftfreq(size, 1 / RATE)


def _band_pass(pitches: Pitches) -> Pitches:
    """Return a gain for each pitch in Hz: Butterworth slopes of 24 dB an octave at both ends of the band."""
    low, high = (np.maximum(pitches, 1.0) / edge for edge in _BAND)
    passed: Pitches = 1.0 / np.sqrt((1.0 + low**-8.0) * (1.0 + high**8.0))
    return passed


class Convolution:
    """A filter of any length, fed in pieces of `frames` samples, without delay."""

    def __init__(self, response: Floats, frames: int) -> None:
        self._frames = frames
        count = -(-len(response) // frames)
        padded = np.pad(response, (0, count * frames - len(response))).reshape(count, frames)
        parts = np.fft.rfft(padded, 2 * frames)
        backwards = np.roll(parts[::-1], 1, axis=0)
        self._parts = np.concatenate((backwards, backwards))
        self._past = np.zeros_like(parts)
        self._newest = 0
        self._last: Floats = np.zeros(frames, np.float32)
        self._silent = count + 1

    def feed(self, sound: Floats) -> Floats:
        """Return the next filtered piece, shape (frames,); costs next to nothing when all has died away."""
        count = len(self._past)
        self._silent = 0 if sound.any() else self._silent + 1
        if self._silent > count:
            return np.zeros_like(sound)
        self._newest = (self._newest + 1) % count
        self._past[self._newest] = np.fft.rfft(np.concatenate((self._last, sound)))
        self._last = sound
        aligned = self._parts[count - self._newest : 2 * count - self._newest]
        return np.fft.irfft((aligned * self._past).sum(axis=0))[self._frames :].astype(np.float32, copy=False)
