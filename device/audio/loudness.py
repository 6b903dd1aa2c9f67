"""PURE. How loud sound is to people (ITU-R BS.1770-5), block by block, and a slow hand on the fader.

The K-weighting is applied to the power spectrum of each block instead of to the sound, which needs no recursive filter
and gives the same energy but for the edges of a block: within 0.1 LU of the filters for speech.
"""

from __future__ import annotations

import math
from collections import deque
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, Samples
from device.audio.level import FULL_SCALE

TARGET_LUFS: Final = -16.0
"""What a voice should be in the programme: the usual loudness of speech on the net (AES TD1004)."""
SILENT_LUFS: Final = -50.0
"""Below it nobody speaks, so there is nothing to learn."""
LEAST_GAIN_DB, MOST_GAIN_DB = -15.0, 24.0

_EVERY = 2  # blocks, of which one is measured: speech is not another 20 ms later
_MOMENT = 20 // _EVERY  # measured blocks: 400 ms, BS.1770's gating block
_RELATIVE = 10.0  # LU below what is usual at which sound is a pause, BS.1770
_SLEW = 9.0 * BLOCK_SECONDS  # dB in one block: 9 dB in a second
_MEMORY = 5.0 / BLOCK_SECONDS / _EVERY  # measured blocks of speech over which a voice is judged
_LET_BE = 0.25  # dB off the target that nobody hears
_NOTHING = 10 ** ((SILENT_LUFS - 10) / 10)  # mean square below which K-weighting, at most +4 dB, makes no speech
_RAMP = np.arange(BLOCK, dtype=np.float32) / BLOCK


@cache
def _weights() -> NDArray[np.float64]:
    """Return the squared gain of the K-weighting for each bin of a block: BS.1770's two biquads at 48 kHz."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(BLOCK, 1 / RATE) / RATE)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    power: NDArray[np.float64] = np.abs(shelf * high_pass) ** 2
    power[1:-1] *= 2.0  # the bins of negative frequency
    return power / BLOCK**2


def weighted_energy(block: Samples) -> float:
    """Return the K-weighted mean square of one block, shape (960,), full scale 1."""
    spectrum = np.fft.rfft(block.astype(np.float32) / FULL_SCALE)
    return float(_weights() @ (spectrum.real**2 + spectrum.imag**2))


def lufs(energy: float) -> float:
    """Return a K-weighted mean square as loudness of a mono programme, -100 at least."""
    return max(-100.0, 10 * math.log10(energy) - 0.691) if energy > 0 else -100.0


class Leveller:
    """Brings one voice to the target: learns only while it speaks, and moves by at most 9 dB in a second."""

    def __init__(self, target: float = TARGET_LUFS) -> None:
        self.gain_db = 0.0
        """What it gives now."""
        self._target = target
        self._moment: deque[float] = deque(maxlen=_MOMENT)
        self._energy, self._seen = 0.0, 0.0
        self._count, self._moving = 0, False

    def level(self, block: Samples, energy: float) -> NDArray[np.float32]:
        """Return the block, shape (960,), whose mean square is known, in int16 units of any size, at its new loudness."""
        before = self.gain_db
        self._count += 1
        if self._count % _EVERY == 0:
            self._learn(block, energy)
        if self._seen:
            self._move()
        first, last = _factor(before), _factor(self.gain_db)
        gain = np.float32(first) if first == last else first + (last - first) * _RAMP
        levelled: NDArray[np.float32] = block * gain
        return levelled

    def _move(self) -> None:
        wanted = min(MOST_GAIN_DB, max(LEAST_GAIN_DB, self._target - lufs(self._energy)))
        self._moving = abs(wanted - self.gain_db) > (0.0 if self._moving else _LET_BE)
        if self._moving:
            self.gain_db += min(_SLEW, max(-_SLEW, wanted - self.gain_db))

    def _learn(self, block: Samples, energy: float) -> None:
        self._moment.append(weighted_energy(block) if energy > _NOTHING else 0.0)
        moment = sum(self._moment) / _MOMENT
        usual = lufs(self._energy) if self._seen else -100.0
        if lufs(moment) < max(SILENT_LUFS, usual - _RELATIVE):
            return
        self._seen = min(_MEMORY, self._seen + 1)
        self._energy += (moment - self._energy) / self._seen


def _factor(decibels: float) -> float:
    return float(10 ** (decibels / 20))
