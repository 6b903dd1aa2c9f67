"""The verb `doctor` of the command line."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from typing import Final

from device.chosen import chosen
from device.config import DeviceSettings
from device.doctor.examine import SERVICE, STUN, Options, examine
from device.doctor.findings import Finding, Language
from device.doctor.gather.sound import LONGEST_RECORDING, Wish
from device.doctor.report import PLAIN, Screen, as_json, exit_code, language_of, render

PRESS: Final[Mapping[Language, str]] = {
    "en": "Press the button now, again and again, for {:g} s.",
    "ja": "今から {:g} 秒間、ボタンを何度か押してください。",
}
EPILOGUE = "exit codes: 0 nothing has failed (warnings may be there); 1 something has; 2 command line or settings"


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.epilog = EPILOGUE
    add_language(verb)
    verb.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    verb.add_argument("--stun", type=address, default=STUN, metavar="HOST:PORT", help="STUN server that UDP goes to")
    verb.add_argument("--service", type=address, default=SERVICE, metavar="HOST:PORT", help="voice service, by TLS")
    verb.add_argument(
        "--listen", type=float, default=2.0, metavar="SECONDS", help="how long to measure the microphone (default: 2)"
    )
    verb.add_argument(
        "--record",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help=f"record so long, {LONGEST_RECORDING:g} at most, then play it back",
    )
    verb.add_argument(
        "--press", type=float, default=0.0, metavar="SECONDS", help="feel the button meanwhile: press it some times"
    )


def add_language(verb: argparse.ArgumentParser) -> None:
    """Add the choice of a language, which is the locale's where none is chosen."""
    verb.add_argument("--lang", choices=("en", "ja"), default=language_of(os.environ), help="default: by the locale")


def address(text: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT`; brackets around an IPv6 address are taken off.

    Raises:
        ValueError: it does not look like that.
    """
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Examine this board and print what is to be said; return the exit code."""
    wish = Wish(options.listen, options.record)
    wanted = Options(options.stun, options.service, wish, press=options.press, chosen=chosen(options.config))
    if options.press:
        sys.stderr.write(f"{PRESS[options.lang].format(options.press)}\n")
    findings = asyncio.run(examine(settings, wanted))
    say(findings, options)
    return exit_code(findings)


def say(findings: list[Finding], options: argparse.Namespace) -> None:
    """Print what was found, as JSON or as lines that fit the terminal."""
    text = as_json(findings, options.lang) if options.json else render(findings, options.lang, screen())
    sys.stdout.write(f"{text}\n")


def screen() -> Screen:
    """Return what standard output goes to; colours only on a terminal, and not where NO_COLOR asks for none."""
    if not sys.stdout.isatty():
        return PLAIN
    return Screen(shutil.get_terminal_size().columns, colours=not os.environ.get("NO_COLOR"))
