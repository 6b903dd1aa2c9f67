"""The command line of the device: `kaiwa-device`."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp

from device import __version__, show, tool_verb, update_verb
from device.app import run
from device.calibrate import command as calibrate
from device.chosen import chosen, told
from device.claiming import claimed_at_start, wait_for_claim
from device.clock import ntp_synchronized
from device.command import Exit
from device.config import DEFAULT_PATH, DeviceSettings, explain, load
from device.doctor import command as doctor
from device.enrol import enrol
from device.errors import EnrolmentError, KaiwaError, SettingsError, SoundError, first_of
from device.instance import only_one
from device.messages.enrolment import Enrolment
from device.succession import in_doubt

_log = logging.getLogger(__name__)

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOT_ENROLLED: Final = 3
EXIT_NO_SOUND: Final = 4
EXIT_UPDATE: Final = 5

_CODES: Final = {SettingsError: EXIT_USAGE, EnrolmentError: EXIT_NOT_ENROLLED, SoundError: EXIT_NO_SOUND}

EPILOGUE: Final = """exit codes: 0 ended as told; 1 failed, start again; 2 command line or settings; 3 not enrolled, or the
certificate is over; 4 no usable sound card;
5 another version lies ready, start again"""


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser(prog="kaiwa-device", description="A robot to talk to.", epilog=EPILOGUE)
    top.add_argument("--version", action="version", version=f"kaiwa-device {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    _verb(verbs, "run", "run the robot", _run).add_argument(
        "--bench",
        action="store_true",
        help="virtual bench: orders for button and simulated room on standard input, observations on standard output",
    )
    enrolling = _verb(verbs, "enrol", "turn a claim into an identity", _enrol)
    enrolling.add_argument(
        "claim", help="the code that `kaiwa-cloud claim new` printed: kaiwa:HOST:PORT/CODE#FINGERPRINT; - reads it"
    )
    enrolling.add_argument("--json", action="store_true", help="print who this board is now as JSON")
    doctor.add_options(_verb(verbs, "doctor", "look for what is wrong, and say how to mend it", doctor.act))
    calibrate.add_options(_verb(verbs, "calibrate", "measure the sound and choose the safe echo mode", calibrate.act))
    lights = _verb(verbs, "show", "show the lights and play the earcons", show.act)
    lights.set_defaults(lenient=True)
    show.add_options(lights)
    tool_verb.add_options(
        _verb(verbs, "tools", "show what the model is told of, or try one of the robot's own", tool_verb.act)
    )
    update_verb.add_options(
        _verb(verbs, "update", "take over another version, or go back to the one before", update_verb.act)
    )
    effective = _verb(verbs, "config", "print every effective setting and where it came from", _config)
    effective.add_argument("--json", action="store_true", help="print them as one JSON array")
    return top


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    act: Callable[[DeviceSettings, argparse.Namespace], int],
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text.capitalize() + ".")
    verb.add_argument("--config", type=Path, default=DEFAULT_PATH, help="settings file (default: %(default)s)")
    verb.set_defaults(act=act, lenient=False, misread=_misread)
    return verb


def _run(settings: DeviceSettings, options: argparse.Namespace) -> int:
    for line in told(chosen(options.config)):
        _log.info("%s", line)
    with only_one(Path(settings.state_dir)):
        while True:
            end = _live(settings, with_bench=options.bench)
            if not end.claim:
                return EXIT_UPDATE if end.update else EXIT_FAILED if end.failed else 0
            asyncio.run(wait_for_claim(settings))


def _live(settings: DeviceSettings, *, with_bench: bool) -> Exit:
    """Run the robot; one without an identity looks for a claim first, and one whose clock may be ahead asks the cloud."""
    try:
        return asyncio.run(run(settings, with_bench=with_bench))
    except EnrolmentError as error:
        now = None
        if not asyncio.run(claimed_at_start(settings)):
            if not in_doubt(Path(settings.state_dir), ntp_synchronized()):
                raise
            _log.warning("%s; but NTP has not set this clock, and it may be ahead: the cloud will tell", error)
            now = 0.0
    return asyncio.run(run(settings, with_bench=with_bench, now=now))


def _enrol(settings: DeviceSettings, options: argparse.Namespace) -> int:
    claim = sys.stdin.readline() if options.claim == "-" else options.claim
    enrolment = asyncio.run(_claimed(claim, Path(settings.state_dir)))
    broker = f"{enrolment.broker.host}:{enrolment.broker.port}"
    if options.json:
        print(json.dumps({"device": enrolment.device, "broker": broker}))
    else:
        print(f"This board is now {enrolment.device}; its cloud is {broker}.")
    return 0


async def _claimed(claim: str, state_dir: Path) -> Enrolment:
    async with aiohttp.ClientSession() as http:
        return await enrol(claim, state_dir, http)


def _config(_settings: DeviceSettings, options: argparse.Namespace) -> int:
    if options.json:
        found = [{"key": key, "value": value, "source": source} for key, value, source in explain(options.config)]
        print(json.dumps(found, default=str, ensure_ascii=False))
        return 0
    for key, value, source in explain(options.config):
        print(f"{key:32} = {value!s:32} # {source}")
    return 0


def _misread(error: SettingsError, _options: argparse.Namespace) -> int:
    return _failed(error)


def _settings(options: argparse.Namespace) -> DeviceSettings:
    """Return the settings; the defaults where they cannot be read and the verb can do with them."""
    try:
        return load(options.config)
    except SettingsError as error:
        if not options.lenient:
            raise
        print(f"kaiwa-device: {error}", file=sys.stderr)
        return DeviceSettings()


def log_to_stderr(level: str) -> None:
    """Log from `level` on, less what libraries tell that is too much, or secret."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells of every candidate pair
    logging.getLogger("aiortc.rtcpeerconnection").setLevel(
        logging.INFO
    )  # at DEBUG, whole SDPs with their ICE passwords


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors of the family become one line on standard error and an exit code."""
    options = parser().parse_args(arguments)
    try:
        settings = _settings(options)
    except SettingsError as error:
        told: int = options.misread(error, options)
        return told
    try:
        log_to_stderr(settings.report.log_level)
        code: int = options.act(settings, options)
    except KaiwaError as error:
        return _failed(error)
    except BaseExceptionGroup as group:
        first = first_of(group)
        if first is None:
            raise
        return _failed(first)
    return code


def _failed(error: KaiwaError) -> int:
    print(f"kaiwa-device: {error}", file=sys.stderr)
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), EXIT_FAILED)


if __name__ == "__main__":
    sys.exit(main())
