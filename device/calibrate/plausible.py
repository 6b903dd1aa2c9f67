"""PURE. Whether a measurement can be believed: what no room and no sound card does comes from a broken one.

A microphone that is off, a loose plug, a computer that was busy, or a voice in the room give figures, too, and from such figures
every mode can look safe. The limits are wide: a room that is merely bad must pass, and get its verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.calibrate import words
from device.calibrate.measure import Measured
from device.doctor.findings import Finding, Outcome

DEAD: Final = -95.0
"""dBFS: no converter is that quiet."""
FLOODED: Final = -20.0
"""dBFS while nothing is played: louder than somebody who shouts at arm's length, so it is no room's noise."""
MISSED: Final = 2.0
"""dB by which the noise is quieter in the tap when a third of it was never played."""
INAUDIBLE: Final = 3.0
"""dB above the noise floor at which an echo is as good as gone before any canceller."""
CLEAR: Final = 10.0
"""dB above the noise floor at which no chirp can be missed: they are found 15 dB below it."""
ENOUGH: Final = 0.75
"""Share of the chirps that a microphone hears when the echo is that clear."""
EARLIEST: Final = -0.020
"""Seconds by which the tap's slack may let an echo seem to come before its cause."""
LATEST: Final = 0.40
"""Seconds: tried are 0.25, and no card that is plugged in takes longer; wireless ones do."""
STEADY: Final = 0.010
"""Seconds of wander that the tap forgives; beyond them it would have moved its offset at once."""
JUMPS: Final = 0.040
"""Seconds by which the delay jumped in the largest jump that the canceller was tried on."""
FARTHEST: Final = 1000.0
"""Parts per million that two clocks are apart at most: crystals are within 100, cheap resonators within some hundreds."""
VAGUE: Final = 100.0
"""Standard error of the drift, in ppm, beyond which the chirps did not come at regular intervals."""
TEARS: Final = 1
"""Holes in what was played that one passing business of the computer makes."""


TEARING: Final = (words.STARVED, words.TORN, words.UNSTEADY, words.IMPOSSIBLE_DRIFT, words.VAGUE_DRIFT)
"""What a computer that was busy for a moment does to a measurement, and may not do to the next."""


def torn(findings: Sequence[Finding]) -> bool:
    """Tell whether nothing is wrong but what `TEARING` names, so that another measurement may be whole."""
    failures = [finding.phrase for finding in findings if finding.outcome is Outcome.FAILURE]
    return bool(failures) and all(phrase in TEARING for phrase in failures)


def dead(measured: Measured) -> bool:
    """Tell whether the microphone gave nothing at all."""
    return measured.floor <= DEAD and not measured.heard


def few(measured: Measured) -> bool:
    """Tell whether too few chirps were heard to know anything of delay and drift."""
    return 2 * measured.heard < measured.chirps


def objections(card: str, measured: Measured, *, heard: bool) -> list[Finding]:
    """Return every reason not to believe it, in the order of mending; `heard` is whether a person heard the chirps."""
    found = _of_levels(card, measured)
    if few(measured):
        return [*found, *_of_silence(card, measured, heard=heard)]
    above = measured.echo - measured.floor
    if measured.heard < ENOUGH * measured.chirps and above > CLEAR:
        found.append(words.PATCHY(card=card, heard=measured.heard, chirps=measured.chirps, above=above))
    return [*found, *_of_times(measured)]


def _of_levels(card: str, measured: Measured) -> list[Finding]:
    found = list[Finding]()
    if measured.floor > FLOODED:
        found.append(words.FLOODED(card=card, floor=measured.floor))
    if measured.played < measured.given - MISSED:
        found.append(words.STARVED(card=card, played=measured.played, given=measured.given))
    return found


def _of_silence(card: str, measured: Measured, *, heard: bool) -> list[Finding]:
    """Only a person can tell a card that takes out its own echo from a speaker that is off; the figures must agree."""
    if not heard:
        return [words.UNHEARD(card=card, heard=measured.heard, chirps=measured.chirps)]
    above = measured.echo - measured.floor
    return [words.LEAKING(card=card, above=above)] if above > INAUDIBLE else []


def _of_times(measured: Measured) -> list[Finding]:
    found = list[Finding]()
    if measured.holes > TEARS:
        found.append(words.TORN(holes=measured.holes))
    if measured.delay < EARLIEST:
        found.append(words.TOO_EARLY(early=-measured.delay * 1000.0))
    if measured.delay > LATEST:
        found.append(words.TOO_LATE(delay=measured.delay * 1000.0))
    if measured.wander > JUMPS:
        found.append(words.UNSTEADY(wander=measured.wander * 1000.0))
    if abs(measured.drift) - 2.0 * measured.drift_error > FARTHEST:
        found.append(words.IMPOSSIBLE_DRIFT(drift=measured.drift, error=measured.drift_error))
    elif measured.drift_error > VAGUE:
        found.append(words.VAGUE_DRIFT(drift=measured.drift, error=measured.drift_error))
    return found
