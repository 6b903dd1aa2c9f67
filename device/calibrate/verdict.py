"""PURE. Which echo mode is safe, by what was measured; when in doubt, the robot rather does not hear than hears itself.

The limits come from simulated rooms (`make bench-voice` measures them anew): AEC3 took out 38 to 49 dB from
echoes 12 to 0 dB below what was played, at 40 to 250 ms and up to 100 ppm, and a voice detector then heard nobody in
what was left. A visitor who talks over the robot was noticed in 69 to 75 % of the time at 6 dB, in 24 to 34 % at 0 dB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.audio.echo import TAIL_SECONDS, EchoMode
from device.audio.ladder import INAUDIBLE_DBFS
from device.boards import CHOICES, Board
from device.calibrate import words
from device.calibrate.measure import Measured
from device.calibrate.plausible import INAUDIBLE, STEADY, dead, few, objections
from device.calibrate.trial import Trial
from device.doctor.checks.sound import LOUD_ROOM
from device.doctor.findings import Finding

REMOVED: Final = 20.0
"""dB that the canceller must take out: below it voice detectors took the rest for speech."""
NEAR_FLOOR: Final = 6.0
"""dB above the noise floor, and above what the canceller leaves of the room alone, at which a rest is not worth mentioning."""
INTERRUPTIBLE: Final = 3.0
"""dB of echo loss below which talking over the robot goes unnoticed most of the time."""
TRIED_DRIFT: Final = 100.0
ROOM_TAIL: Final = 0.05
"""Seconds for which a room goes on after the echo has come, until it is as good as silent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The mode that is safe, None when what was measured cannot be believed or no mode is, and what is to be said."""

    mode: EchoMode | None
    findings: list[Finding]


def affordable(verdict: Verdict, board: Board) -> Verdict:
    """Return the verdict for a board: without a canceller, and saying so, where its profile has no time for one."""
    if verdict.mode is not EchoMode.AEC3 or ("echo.mode", EchoMode.HALF_DUPLEX) not in _profile(board):
        return verdict
    mode = EchoMode.HALF_DUPLEX
    return Verdict(mode, [*verdict.findings[:-1], words.TOO_DEAR(board=str(board)), words.CHOSEN(mode=mode)])


def _profile(board: Board) -> list[tuple[str, str | int]]:
    return [(choice.key, choice.value) for choice in CHOICES[board]]


def judge(card: str, measured: Measured | None, trial: Trial | None, *, heard: bool) -> Verdict:
    """Return the verdict; `trial` is None where there is no canceller, `heard` whether a person heard the chirps.

    A measurement that cannot be believed says nothing about any mode: the verdict is None then, with the reasons.
    """
    if measured is None:
        return Verdict(None, [words.NOT_PLAYED(card=card), words.UNDECIDED()])
    if dead(measured):
        return Verdict(None, [words.MUTED(card=card), words.UNDECIDED()])
    figures = _figures(card, measured, trial)
    if reasons := objections(card, measured, heard=heard):
        return Verdict(None, [*figures, *reasons, words.UNDECIDED()])
    mode = EchoMode.NONE if few(measured) else _safe(measured, trial)  # only a person can have said so
    if mode is EchoMode.HALF_DUPLEX and measured.delay + ROOM_TAIL > TAIL_SECONDS:
        late = words.OUT_OF_REACH(delay=measured.delay * 1000.0, tail=TAIL_SECONDS * 1000.0)
        return Verdict(None, [*figures, *_complaints(measured), late, words.UNDECIDED()])
    return Verdict(mode, [*figures, *_complaints(measured), _mode(mode)])


def _safe(measured: Measured, trial: Trial | None) -> EchoMode:
    if measured.clipped:
        return EchoMode.HALF_DUPLEX
    # Where the room itself is loud, an echo that drowns in it today is heard as soon as it is quiet.
    quiet = measured.floor <= LOUD_ROOM
    if quiet and measured.echo <= measured.floor + INAUDIBLE:
        return EchoMode.NONE
    if trial is not None and (trial.removed >= REMOVED or (quiet and _drowned(measured, trial))):
        return EchoMode.AEC3
    return EchoMode.HALF_DUPLEX


def _drowned(measured: Measured, trial: Trial) -> bool:
    """Tell whether what is left of the echo is lost in the room, with its noise as it is and with it taken out."""
    taken_out = max(trial.quiet + NEAR_FLOOR, INAUDIBLE_DBFS)
    return trial.after <= min(measured.floor + NEAR_FLOOR, taken_out)


def _figures(card: str, measured: Measured, trial: Trial | None) -> list[Finding]:
    if few(measured):  # nothing is known of times, nor of what a canceller makes of the echo
        return [_levels(measured)]
    times = words.TIMES(
        card=card,
        delay=measured.delay * 1000.0,
        wander=measured.wander * 500.0,
        drift=round(measured.drift) + 0.0,  # no "-0"
        error=measured.drift_error,
    )
    cancelled = words.NO_CANCELLER() if trial is None else words.CANCELLED(removed=trial.removed, after=trial.after)
    return [times, _levels(measured), cancelled]


def _levels(measured: Measured) -> Finding:
    return words.LEVELS(floor=measured.floor, echo=measured.echo, loss=measured.loss)


def _complaints(measured: Measured) -> list[Finding]:
    found = list[Finding]()
    if measured.clipped:
        found.append(words.CLIPPED(clipped=measured.clipped))
    if measured.loss < INTERRUPTIBLE:
        found.append(words.LOUD(loss=measured.loss))
    if measured.floor > LOUD_ROOM:
        found.append(words.NOISY(floor=measured.floor))
    if abs(measured.drift) - 2.0 * measured.drift_error > TRIED_DRIFT:
        found.append(words.DRIFTING(drift=measured.drift))
    if measured.holes:
        found.append(words.HOLES(holes=measured.holes))
    if measured.wander > STEADY:
        found.append(words.WANDERING(wander=measured.wander * 1000.0))
    return found


def _mode(mode: EchoMode) -> Finding:
    return (words.LAST_RESORT if mode is EchoMode.HALF_DUPLEX else words.SAFE)(mode=mode)
