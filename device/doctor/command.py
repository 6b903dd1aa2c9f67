"""The verb `doctor` of the command line."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from device.chosen import chosen
from device.config import DeviceSettings
from device.doctor.examine import SERVICE, STUN, Options, examine
from device.doctor.gather.sound import LONGEST_RECORDING, Wish
from device.doctor.report import as_json, exit_code, language_of, render

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
    wanted = Options(options.stun, options.service, Wish(options.listen, options.record), chosen=chosen(options.config))
    findings = asyncio.run(examine(settings, wanted))
    sys.stdout.write((as_json if options.json else render)(findings, options.lang) + "\n")
    return exit_code(findings)
