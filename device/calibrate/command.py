"""The verb `calibrate` of the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from device.audio.echo import Aec3
from device.calibrate.keep import check, keep
from device.calibrate.measure import Measured, measure
from device.calibrate.perform import perform
from device.calibrate.plausible import torn
from device.calibrate.stimulus import Plan
from device.calibrate.trial import Trial, tried
from device.calibrate.verdict import Verdict, affordable, judge
from device.config import DeviceSettings, board_of
from device.doctor.checks.sound import UNUSABLE
from device.doctor.command import add_language, misread, say
from device.doctor.findings import Language
from device.doctor.gather.pins import user
from device.errors import SoundError
from device.instance import only_one

EXIT_UNKNOWN: Final = 1
EXIT_NO_SOUND: Final = 4
ATTEMPTS: Final = 3
"""Measurements at most, of 17 seconds each: a computer that was busy for a moment may not be at the next."""

AGAIN: Final[Mapping[Language, str]] = {
    "en": "The computer was busy, and the measurement is torn: once more.",
    "ja": "コンピューターが混み合い、測定が乱れました。もう一度測ります。",
}

_DESCRIPTION = """Play chirps and noise through the sound card for about 17 seconds, measure delay, drift, echo loss,
clipping and noise floor, and say which echo mode is safe; up to three times where the computer is busy. Nobody should speak
meanwhile. The robot must not run."""


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.description = _DESCRIPTION
    verb.epilog = "exit codes: 0 a mode was found; 1 the measurement cannot be believed, or nothing is safe; 2 settings; 4 no usable sound card"
    add_language(verb)
    verb.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    verb.add_argument("--write", action="store_true", help="write the mode into the settings file (default: print it)")
    verb.set_defaults(misread=misread)
    verb.add_argument("--heard", action="store_true", help="you heard the chirps, although the microphone did not")


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Calibrate, print what is to be said, and write the mode when told to; return the exit code."""
    if options.write:
        check(options.config)
    try:
        with only_one(Path(settings.state_dir)):
            once = partial(calibrated, settings, Plan(), heard=options.heard)
            verdict, note = asyncio.run(whole(once, partial(_tell_again, options.lang)))
    except SoundError as error:
        say([UNUSABLE(error=str(error), user=user())], options)
        return EXIT_NO_SOUND
    say(verdict.findings, options)
    if verdict.mode is None:
        return EXIT_UNKNOWN
    if options.write:
        keep(options.config, verdict.mode, note)
    elif not options.json:
        sys.stdout.write(f'\n[echo]\nmode = "{verdict.mode}"  # calibrated {note}\n')
    return 0


async def whole(once: Callable[[], Awaitable[tuple[Verdict, str]]], again: Callable[[], None]) -> tuple[Verdict, str]:
    """Measure until a measurement is not torn, `ATTEMPTS` times at most; `again` is called before each but the first."""
    for _ in range(ATTEMPTS - 1):
        verdict, note = await once()
        if not torn(verdict.findings):
            return verdict, note
        again()
    return await once()


def _tell_again(language: Language) -> None:
    sys.stderr.write(f"{AGAIN[language]}\n")


async def calibrated(settings: DeviceSettings, plan: Plan, *, heard: bool = False) -> tuple[Verdict, str]:
    """Return the verdict, and a note for the settings file.

    Raises:
        SoundError: the card cannot be used.
    """
    card, recorded = await perform(settings.sound, plan)
    measured = measure(recorded, plan)
    try:
        trial = await asyncio.to_thread(tried, Aec3(), recorded, plan)
    except SoundError:  # the canceller is not installed; the words say so
        trial = None
    verdict = affordable(judge(card, measured, trial, heard=heard), board_of(settings))
    return verdict, _note(measured, trial)


def _note(measured: Measured | None, trial: Trial | None) -> str:
    day = datetime.now(UTC).date().isoformat()
    if measured is None:
        return day
    removed = "" if trial is None else f", {trial.removed:.0f} dB taken out"
    return f"{day}: delay {measured.delay * 1000:.0f} ms, echo loss {measured.loss:.0f} dB{removed}"
