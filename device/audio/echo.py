"""PURE. Taking the robot's own voice out of what its microphone hears.

`near` is the microphone, `far` what the speaker was handed at that moment; both are one block. WebRTC's AEC3 finds the
delay between them by itself; it removed 43 to 49 dB of echo in simulated rooms, and no voice detector took the rest for
speech. Where its wheel is missing the microphone is closed while the robot speaks.
"""

from __future__ import annotations

import logging
import math
from enum import StrEnum
from typing import Any, Final, Protocol

from device.audio.block import BLOCK, BLOCK_SECONDS, RATE, SILENCE, Samples
from device.audio.fade import fade_in, fade_out
from device.audio.level import Energies, dbfs, energy
from device.errors import SoundError

try:
    import pywebrtc_audio
except ImportError:  # an optional extra
    pywebrtc_audio = None  # type: ignore[assignment]  # how mypy wants an absent module said

_log = logging.getLogger(__name__)

FAR_ACTIVE_DBFS: Final = -60.0
"""Below it the speaker makes nothing that a microphone would notice."""
_FAR_ACTIVE: Final = 10 ** (FAR_ACTIVE_DBFS / 10)
TAIL_SECONDS: Final = 0.25
"""How long a room and a sound card go on after the last sample was handed over."""


class EchoMode(StrEnum):
    """Which echo control to use; a value in the device's settings."""

    AEC3 = "aec3"
    HALF_DUPLEX = "half-duplex"
    NONE = "none"


class EchoControl(Protocol):
    """Takes what the speaker plays out of what the microphone hears."""

    mode: EchoMode

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return `near`, shape (960,), without `far`; never fails and keeps the shape."""


class Aec3:
    """WebRTC's echo canceller and noise suppressor; adds about 15 ms of delay, 0.6 ms of CPU per block.

    Raises:
        SoundError: the package pywebrtc-audio is not installed.
    """

    mode = EchoMode.AEC3

    def __init__(self) -> None:
        if pywebrtc_audio is None:
            raise SoundError("echo control aec3 needs the package pywebrtc-audio")
        self._processor: Any = pywebrtc_audio.AudioProcessor(
            sample_rate=RATE, echo_cancellation=True, noise_suppression=True
        )

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return the voice in the room, shape (960,)."""
        processed: Samples = self._processor.process(near, far)
        return processed


class HalfDuplex:
    """Closes the microphone while the speaker plays and for 250 ms after; cannot be interrupted by voice."""

    mode = EchoMode.HALF_DUPLEX

    def __init__(self) -> None:
        self._closed_for = 0  # blocks

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return `near`, or silence while the far end is heard; the edges are ramps."""
        return self.gate(near, active=is_active(energy(far)))

    def gate(self, near: Samples, *, active: bool) -> Samples:
        """Do so, knowing whether the far end is heard."""
        was_closed = self._closed_for > 0
        if active:
            self._closed_for = math.ceil(TAIL_SECONDS / BLOCK_SECONDS)
        elif was_closed:
            self._closed_for -= 1
        if self._closed_for > 0:
            return SILENCE if was_closed else fade_out(near, BLOCK // 4)
        return fade_in(near) if was_closed else near


class NoEchoControl:
    """For speakerphones that take out the echo themselves, and for headphones."""

    mode = EchoMode.NONE

    def process(self, near: Samples, far: Samples) -> Samples:  # noqa: ARG002 - the protocol's shape
        """Return `near` as it is."""
        return near


def choose_echo(mode: EchoMode) -> EchoControl:
    """Return the control for `mode`; half-duplex, and a warning, where AEC3 is wanted but not installed."""
    match mode:
        case EchoMode.NONE:
            return NoEchoControl()
        case EchoMode.HALF_DUPLEX:
            return HalfDuplex()
        case EchoMode.AEC3:
            return _aec3_or_half_duplex()


def _aec3_or_half_duplex() -> EchoControl:
    try:
        return Aec3()
    except SoundError as error:
        _log.warning("%s; half-duplex instead", error)
        return HalfDuplex()


class EchoMeter:
    """How much of the echo is taken out: energy before against after, while only the far end should be heard."""

    _SETTLE: Final = 5  # blocks after the far end begins until its echo is surely in the room
    _KEEP: Final = 0.98  # of the sums, per block: a memory of about one second

    def __init__(self) -> None:
        self._before = self._after = 0.0
        self._active_for = 0
        self.blocks = 0
        """Blocks measured; only grows."""

    def add(self, block: Energies) -> None:
        """Take one block."""
        self._active_for = self._active_for + 1 if is_active(block.far) else 0
        if self._active_for <= self._SETTLE:
            return
        self.blocks += 1
        self._before = self._before * self._KEEP + block.near
        self._after = self._after * self._KEEP + block.cleaned

    @property
    def loss_db(self) -> float:
        """Echo loss in dB over the last second in which the far end was active; 0 before."""
        if self._before == 0.0:
            return 0.0
        return dbfs(self._before) - dbfs(self._after)


def is_active(far: float) -> bool:
    """Tell by its energy whether the speaker plays anything that a microphone would notice."""
    return far > _FAR_ACTIVE
