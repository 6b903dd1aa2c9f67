"""The verb `doctor` of the command line."""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from typing import Final

from device.chosen import chosen
from device.config import DeviceSettings
from device.doctor.checks.settings import UNUSABLE
from device.doctor.examine import SERVICE, STUN, Options, examine
from device.doctor.findings import Finding, Language
from device.doctor.gather.sound import LONGEST_RECORDING, Wish
from device.doctor.report import PLAIN, Screen, as_json, exit_code, language_of, render
from device.errors import SettingsError

PRESS: Final[Mapping[Language, str]] = {
    "en": "Press the button now, again and again, for {:g} s.",
    "ja": "今から {:g} 秒間、ボタンを何度か押してください。",
}
EXIT_SETTINGS: Final = 2
EPILOGUE: Final = (
    "exit codes: 0 nothing has failed (warnings may be there); 1 something has; 2 command line or settings"
)


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.epilog = EPILOGUE
    add_language(verb)
    verb.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    verb.add_argument("--stun", type=address, default=STUN, metavar="HOST:PORT", help="STUN server that UDP goes to")
    verb.add_argument("--service", type=address, default=SERVICE, metavar="HOST:PORT", help="voice service, by TLS")
    verb.add_argument(
        "--listen",
        type=seconds(0.1, 60.0),
        default=2.0,
        metavar="SECONDS",
        help="how long to measure the microphone, 0.1 to 60 (default: 2)",
    )
    verb.add_argument(
        "--record",
        type=seconds(0.0, 60.0),
        default=0.0,
        metavar="SECONDS",
        help=f"record so long, {LONGEST_RECORDING:g} at most, then play it back",
    )
    verb.add_argument(
        "--press",
        type=seconds(0.0, 600.0),
        default=0.0,
        metavar="SECONDS",
        help="feel the button meanwhile: press it some times; 600 at most",
    )
    verb.set_defaults(misread=misread)


def add_language(verb: argparse.ArgumentParser) -> None:
    """Add the choice of a language, which is the locale's where none is chosen."""
    verb.add_argument("--lang", choices=("en", "ja"), default=language_of(os.environ), help="default: by the locale")


def address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; brackets around an IPv6 address are taken off.

    Raises:
        ValueError: it does not look like that, or no name server could be asked for such a name.
    """
    host, colon, port = text.rpartition(":")
    host = host.strip("[]")
    if not (host and colon and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536 and nameable(host)):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def nameable(host: str) -> bool:
    """Tell whether a host can have this name: no part of it is empty, or has more than 63 letters (RFC 1035)."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def seconds(least: float, most: float) -> Callable[[str], float]:
    """Return what reads an option that is so many seconds, from `least` to `most`."""

    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:  # as it is of no number
            raise argparse.ArgumentTypeError(f"{text!r} is not from {least:g} to {most:g} seconds")
        return number

    return read


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Examine this board and print what is to be said; return the exit code."""
    wish = Wish(options.listen, options.record)
    wanted = Options(options.stun, options.service, wish, press=options.press, chosen=chosen(options.config))
    if options.press:
        sys.stderr.write(f"{PRESS[options.lang].format(options.press)}\n")
    findings = asyncio.run(examine(settings, wanted))
    say(findings, options)
    return exit_code(findings)


def misread(error: SettingsError, options: argparse.Namespace) -> int:
    """Print that the settings cannot be used, which is all that can be found then; return the exit code."""
    say([UNUSABLE(error=str(error))], options)
    return EXIT_SETTINGS


def say(findings: list[Finding], options: argparse.Namespace) -> None:
    """Print what was found, as JSON or as lines that fit the terminal; a letter that it does not know becomes `?`."""
    text = as_json(findings, options.lang) if options.json else render(findings, options.lang, screen())
    letters = sys.stdout.encoding or "utf-8"
    sys.stdout.write(f"{text.encode(letters, 'replace').decode(letters)}\n")


def screen() -> Screen:
    """Return what standard output goes to; colours only on a terminal, and not where NO_COLOR asks for none."""
    if not sys.stdout.isatty():
        return PLAIN
    return Screen(shutil.get_terminal_size().columns, colours=not os.environ.get("NO_COLOR"))
