"""PURE. Full duplex while the echo is really taken out, half duplex while it is not, and back again by itself.

The canceller runs all the time, so it goes on learning and is measured even while the microphone is closed. A block is
measured while the speaker plays and its echo can be heard. What counts is the best tenth of the last 4 s of such
blocks: somebody who talks over the robot makes a canceller look bad, but not for so long, because the robot then stops.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Final, Protocol

from device.audio.block import Samples
from device.audio.echo import EchoControl, EchoMode, HalfDuplex, is_active
from device.audio.level import NOTHING, Energies, dbfs, energies, energy

_log = logging.getLogger(__name__)

TOO_LITTLE_DB: Final = 10.0
"""Echo loss below which the robot would answer itself: half duplex from here."""
ENOUGH_DB: Final = 20.0
"""Echo loss from which it is trusted again."""
INAUDIBLE_DBFS: Final = -55.0
"""A microphone below it hears no echo that anything must be done about."""
WARM_UP: Final = 50
"""Blocks (1 s) of the speaker playing until the canceller is believed to have found its echo."""

_EVIDENCE: Final = 200  # measured blocks: 4 s
_DELAY: Final = 15  # blocks after the speaker begins until its echo is surely in the room


class MeasuredEchoControl(EchoControl, Protocol):
    """An `EchoControl` whose blocks are measured once, for itself and for whoever judges them after it."""

    measured: Energies
    """Of the last block: the microphone, what was returned of it, and the speaker."""


class Unguarded:
    """An `EchoControl` that nobody has to watch."""

    def __init__(self, control: EchoControl) -> None:
        self.mode, self.measured = control.mode, NOTHING
        self._control = control

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return what the control makes of `near`, shape (960,)."""
        cleaned = self._control.process(near, far)
        self.measured = energies(near, cleaned, far)
        return cleaned


class EchoLadder:
    """An `EchoControl` that closes the microphone when the one it is given does too little."""

    def __init__(self, canceller: EchoControl) -> None:
        self.measured = NOTHING
        self.mode = canceller.mode
        """What is in force now: that of the canceller, or half duplex."""
        self.falls = 0
        """Times that half duplex had to take over; only grows."""
        self._canceller, self._gate = canceller, HalfDuplex()
        self._losses: deque[float] = deque(maxlen=_EVIDENCE)
        self._active_for = self._heard = 0

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return `near`, shape (960,), without `far`; silence while the speaker plays if that cannot be had."""
        cleaned = self._canceller.process(near, far)
        self.measured = measured = energies(near, cleaned, far)
        active = is_active(measured.far)
        gated = self._gate.gate(cleaned, active=active)
        self._measure(measured, active=active)
        if self.mode is EchoMode.HALF_DUPLEX or 0 < self._heard < WARM_UP:
            self.measured = measured._replace(cleaned=energy(gated))
            return gated
        return cleaned

    def _measure(self, measured: Energies, *, active: bool) -> None:
        self._active_for = self._active_for + 1 if active else 0
        self._heard += active and self._heard < WARM_UP
        if self._active_for > _DELAY and self._heard >= WARM_UP:
            before = dbfs(measured.near)
            self._losses.append(ENOUGH_DB if before < INAUDIBLE_DBFS else before - dbfs(measured.cleaned))
            self._judge()

    def _judge(self) -> None:
        if len(self._losses) < _EVIDENCE:
            return
        better = sorted(self._losses)[_EVIDENCE * 9 // 10]
        if self.mode is not EchoMode.HALF_DUPLEX and better < TOO_LITTLE_DB:
            self._change(EchoMode.HALF_DUPLEX, better)
            self.falls += 1
        elif self.mode is EchoMode.HALF_DUPLEX and better >= ENOUGH_DB:
            self._change(self._canceller.mode, better)

    def _change(self, mode: EchoMode, loss: float) -> None:
        _log.warning("echo control: %s from now on, because %.0f dB of the echo are taken out", mode, loss)
        self.mode = mode
        self._losses.clear()


def guarded(control: EchoControl) -> MeasuredEchoControl:
    """Return `control`, on the ladder if it is a canceller that can fail."""
    return EchoLadder(control) if control.mode is EchoMode.AEC3 else Unguarded(control)
