"""How good speech sounds and how late it comes: PESQ-WB (ITU-T P.862.2), STOI, and delay by correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from pesq import PesqError, pesq
from pystoi import stoi

from device.audio.block import RATE, Samples
from tests.bench.utterances import Speech

_NARROW = 16_000  # samples per second that PESQ-WB and STOI are made for
_MARGIN = RATE // 5
_SEARCH = RATE // 2  # samples of delay that are looked for

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Quality:
    """Means over all utterances; delay is the median."""

    pesq: float
    stoi: float
    delay_ms: float
    wander_ms: float
    """The longest delay of an utterance less the shortest."""


def judge(said: Speech, heard: Samples, decoded: Samples | None = None, ppm: float = 0.0) -> Quality:
    """Compare what was heard, from the moment the first packet was sent on, with what was said.

    `decoded` is what the codec alone makes of it, and what the delay is measured against; the sender's clock was fast by
    `ppm` millionths.
    """
    against = said.samples if decoded is None else decoded
    heard = np.pad(heard, (0, max(0, said.samples.size + 2 * _SEARCH - heard.size)))
    found = [
        _one(said.samples[span], against[span], heard, span, round(span.start / (1 + ppm * 1e-6)))
        for span in said.spans
    ]
    values = np.array(found)
    late = values[:, 2] / RATE * 1000
    return Quality(
        float(values[:, 0].mean()), float(values[:, 1].mean()), float(np.median(late)), float(late.max() - late.min())
    )


def _one(clean: Samples, against: Samples, heard: Samples, span: slice, sent: int) -> tuple[float, float, float]:
    length = span.stop - span.start
    delay = lag(against, heard[sent : sent + length + _SEARCH])
    begin = sent + delay
    part = _narrow(heard[max(0, begin - _MARGIN) : begin + length + _MARGIN])
    exact = sent + lag(clean, heard[sent : sent + length + _SEARCH])  # the codec's own delay included
    aligned = _narrow(heard[exact : exact + length])
    return _pesq(_narrow(clean), part), _stoi(_narrow(clean), aligned), float(delay)


def lag(reference: Samples, heard: Samples) -> int:
    """Return by how many samples `reference` is late in `heard`, 0 to the difference of their lengths."""
    size = 1 << (reference.size + heard.size).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(reference, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: heard.size - reference.size + 1]))


def _narrow(sound: Samples) -> Floats:
    narrow: Floats = soxr.resample(sound.astype(np.float64) / 32768, RATE, _NARROW, quality="HQ")
    return narrow


def _pesq(clean: Floats, heard: Floats) -> float:
    try:
        return float(pesq(_NARROW, clean, heard, "wb"))
    except PesqError:  # nothing was heard at all
        return 1.0


def _stoi(clean: Floats, heard: Floats) -> float:
    size = min(clean.size, heard.size)
    value: Any = stoi(clean[:size], heard[:size], _NARROW)
    return float(value)
