"""PURE. Short sounds that tell what happens: one family, struck wood, told apart by their motif.

A marimba bar is tuned so that its overtones lie at 4 and about 10 times its pitch and die away sooner than it does
(Fletcher and Rossing, "The Physics of Musical Instruments", 2nd ed., section 19.4). Up means that something opens,
down that it closes; an error stays low and beats.

Each strike is brushed: it carries as much soft noise as tone. An echo canceller cannot learn a room from pure tones: in
the simulated room AEC3 let tonal earcons through at -35 dBFS, which a listener took for words, and brushed ones at -65.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import RATE, Samples
from device.panel.faults import Fault

PEAK: Final = 32767.0 * 10.0 ** (-18.0 / 20.0)
"""Largest sample value: -18 dBFS, clear in a room and no more."""

_OVERTONES: Final = ((1.0, 1.0, 1.0), (3.98, 0.22, 0.35), (9.9, 0.08, 0.15))
"""Multiple of the pitch, strength, and how long it sounds compared with the pitch."""

_BRUSH: Final = (150.0, 5000.0)
_BRUSH_STRENGTH: Final = 0.9
_SMOOTH: Final = 480

_RISE: Final = 0.003
_FALL: Final = 0.030

Tone = tuple[float, float, float]
"""A strike: when in seconds, pitch as semitones above A4 (440 Hz), seconds to a third of its strength."""


class Earcon(StrEnum):
    """The sounds that exist."""

    START = "start"
    """The press was felt."""
    LIVE = "live"
    """The robot listens from now on."""
    END = "end"
    """The conversation is over."""
    ERROR = "error"
    """It could not be done."""
    ANNOUNCE = "announce"
    """Somebody far away is about to start a conversation here."""
    IDENTIFY = "identify"
    """Somebody looks for this robot."""
    MUTED = "muted"
    """The microphone is closed."""
    UNMUTED = "unmuted"
    """It is open again."""
    ON_AIR = "on air"
    """Strangers hear from now on what is said."""
    OFF_AIR = "off air"
    """They hear it no more."""
    CUT = "cut"
    """What was still held back of the broadcast will never be heard."""
    CLAIM = "claim"
    """The robot waits for a claim."""
    FAULT_NETWORK = "fault-network"
    FAULT_SERVICE = "fault-service"
    FAULT_REFUSED = "fault-refused"
    FAULT_BUDGET = "fault-budget"
    FAULT_CLOCK = "fault-clock"
    FAULT_BUSY = "fault-busy"


def of_fault(fault: Fault) -> Earcon:
    """Return the earcon of a kind of fault: the error, and then as many strikes as its light has blinks.

    A robot without a sound card makes none.
    """
    return Earcon.ERROR if fault in {Fault.OTHER, Fault.SOUND} else Earcon(f"fault-{fault}")


def _counted(pitch: float, dashes: int, dots: int) -> tuple[float, tuple[Tone, ...]]:
    """Return the score of a fault: a short low beat, then long and short strikes at its own pitch, as the light blinks."""
    tones: list[Tone] = [(0.0, -9.0, 0.05), (0.0, -8.0, 0.05)]
    now = 0.24
    for number in range(dashes + dots):
        tones.append((now, pitch, 0.13 if number < dashes else 0.04))
        now += 0.34 if number < dashes else 0.17
    return now + 0.1, tuple(tones)


_SCORES: Final[Mapping[Earcon, tuple[float, tuple[Tone, ...]]]] = {
    Earcon.START: (0.28, ((0.0, 3.0, 0.07),)),
    Earcon.LIVE: (0.5, ((0.0, 3.0, 0.06), (0.11, 10.0, 0.11))),
    Earcon.END: (0.6, ((0.0, 10.0, 0.06), (0.12, 7.0, 0.06), (0.24, 3.0, 0.11))),
    Earcon.ERROR: (0.65, ((0.0, -9.0, 0.09), (0.0, -8.0, 0.09), (0.22, -9.0, 0.12), (0.22, -8.0, 0.12))),
    Earcon.ANNOUNCE: (1.4, ((0.0, 3.0, 0.15), (0.28, 7.0, 0.15), (0.56, 10.0, 0.15), (0.84, 15.0, 0.2))),
    Earcon.IDENTIFY: (0.68, ((0.0, 15.0, 0.05), (0.16, 7.0, 0.05), (0.32, 15.0, 0.05), (0.48, 7.0, 0.09))),
    Earcon.MUTED: (0.45, ((0.0, 7.0, 0.04), (0.1, 0.0, 0.09))),
    Earcon.UNMUTED: (0.45, ((0.0, 0.0, 0.04), (0.1, 7.0, 0.09))),
    Earcon.ON_AIR: (0.62, ((0.0, 10.0, 0.05), (0.11, 15.0, 0.05), (0.22, 19.0, 0.12))),
    Earcon.OFF_AIR: (0.62, ((0.0, 19.0, 0.05), (0.11, 15.0, 0.05), (0.22, 10.0, 0.12))),
    Earcon.CUT: (0.42, ((0.0, 12.0, 0.03), (0.08, 12.0, 0.03), (0.16, 3.0, 0.09))),
    Earcon.CLAIM: (1.1, ((0.0, 3.0, 0.05), (0.2, 3.0, 0.05), (0.4, 10.0, 0.05), (0.6, 15.0, 0.16))),
    Earcon.FAULT_CLOCK: _counted(0.0, 0, 4),
    Earcon.FAULT_NETWORK: _counted(-5.0, 1, 1),
    Earcon.FAULT_SERVICE: _counted(-2.0, 1, 2),
    Earcon.FAULT_REFUSED: _counted(-7.0, 2, 0),
    Earcon.FAULT_BUDGET: _counted(-12.0, 2, 1),
    Earcon.FAULT_BUSY: _counted(-3.5, 3, 0),
}
"""Length in seconds, and the strikes; the pitches are of C major, from C5 (3) to C6 (15), and low ones for what is wrong."""


def prepare() -> None:
    """Make every earcon now: one takes some milliseconds, which the voice path does not have once blocks come."""
    for earcon in Earcon:
        sound(earcon)


@cache
def sound(earcon: Earcon) -> Samples:
    """Return an earcon, shape (n,), 48 kHz, faded in and out; the array cannot be written to."""
    seconds, tones = _SCORES[earcon]
    mixed = np.zeros(round(seconds * RATE))
    for start, semitones, decay in tones:
        first = round(start * RATE)
        mixed[first:] += _struck(440.0 * 2.0 ** (semitones / 12.0), decay, len(mixed) - first)
    mixed += _brush(mixed)
    mixed[-round(_FALL * RATE) :] *= 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, round(_FALL * RATE)))
    samples: Samples = np.rint(mixed * (PEAK / np.abs(mixed).max())).astype(np.int16)
    samples.flags.writeable = False
    return samples


def _brush(tones: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return noise between `_BRUSH` Hz that is as loud as `tones` at every moment, the same at every call."""
    window = np.ones(_SMOOTH) / _SMOOTH
    loudness = np.sqrt(np.convolve(np.square(tones), window, "same"))
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(tones.size))
    frequency = np.fft.rfftfreq(tones.size, 1 / RATE)
    spectrum *= (frequency > _BRUSH[0]) & (frequency < _BRUSH[1])
    noise = np.fft.irfft(spectrum, tones.size)
    brushed: NDArray[np.float64] = _BRUSH_STRENGTH * loudness * noise / noise.std()
    brushed[: round(_RISE * RATE)] *= np.linspace(0.0, 1.0, round(_RISE * RATE))
    return brushed


def _struck(pitch: float, decay: float, length: int) -> NDArray[np.float64]:
    time = np.arange(length) / RATE
    bar = np.zeros(length)
    for multiple, strength, lasting in _OVERTONES:
        bar += strength * np.sin(2.0 * np.pi * pitch * multiple * time) * np.exp(-time / (decay * lasting))
    rise = min(length, round(_RISE * RATE))
    bar[:rise] *= 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, rise))
    return bar
