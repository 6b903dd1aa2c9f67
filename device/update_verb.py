"""`kaiwa-device update`: by hand, on the board."""

from __future__ import annotations

import argparse
import logging
import secrets
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from device import __version__
from device.config import DeviceSettings
from device.errors import UpdateError
from device.messages.releases import LONGEST_SEALED, Release
from device.update.fetching import Local, Remote, Source, fetched
from device.update.guard import Places, read_outcome, read_trial, target
from device.update.request import progress
from device.update.settings import UpdateSettings
from device.update.staging import Staging, Wish, this_board
from device.update.trust import release_keys, trust, trusted

_log = logging.getLogger(__name__)

SUFFIX = ".release"
"""What the signed description of a package is called after it."""

NEXT = "it begins when nobody talks; at once: sudo systemctl restart kaiwa-device"


def add_options(verb: argparse.ArgumentParser) -> None:
    """Add the options of this verb."""
    verb.add_argument("package", nargs="?", help="file or https address of a package; its .release lies beside it")
    verb.add_argument("--release", help="file or https address of the release, where it lies elsewhere")
    verb.add_argument(
        "--downgrade", action="store_true", help="take over a version that is older than the one that runs"
    )
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="what runs, what is on trial, how the last update ended")
    what.add_argument("--rollback", action="store_true", help="go back to the version before")
    what.add_argument("--trust", type=Path, metavar="KEY.pem", help="take over what this key has released, from now on")
    verb.add_argument("--json", action="store_true", help="print the status, or what was done, as JSON")


def act(settings: DeviceSettings, options: argparse.Namespace) -> int:
    """Do what was asked; return the exit code.

    Raises:
        UpdateError: it cannot be done, and why.
    """
    update, places = settings.update, settings.update.places(settings.state_dir)
    if options.trust is not None:
        key = trust(options.trust, Path(update.keys))
        _print_done("trusted", key, f"releases by {key} are taken over from now on", as_json=options.json)
    elif options.rollback:
        folder = Staging(places, this_board(), options.config, _say).go_back(_by_hand())
        _print_done("staged", folder, f"{folder}: {NEXT}", as_json=options.json)
    elif options.package is not None:
        version = _by_hand_staged(update, places, options).version
        _print_done("staged", version, f"{version}: {NEXT}", as_json=options.json)
    else:
        _print_status(status(update, places), as_json=options.json)
    return 0


def _print_done(what: str, value: str, words: str, *, as_json: bool) -> None:
    print(msgspec.json.encode({what: value}).decode() if as_json else words)


def _by_hand() -> str:
    return f"byhand{secrets.token_hex(8)}"


def _say(text: str) -> None:
    if not text.endswith("MiB"):
        _log.info("%s", text)


def _by_hand_staged(update: UpdateSettings, places: Places, options: argparse.Namespace) -> Release:
    beside = options.release or options.package + SUFFIX
    release = trusted(_read(beside), Path(update.keys))
    wish = Wish(_by_hand(), release, _source(options.package), options.downgrade)
    Staging(places, this_board(), options.config, _say).stage(wish)
    return release


def _read(where: str) -> bytes:
    if "://" in where:
        return fetched(where, ssl.create_default_context(), LONGEST_SEALED)
    try:
        with Path(where).open("rb") as file:
            return file.read(LONGEST_SEALED + 1)
    except OSError as error:
        raise UpdateError(f"{where}: {error.strerror}") from None


def _source(where: str) -> Source:
    return Remote(where, ssl.create_default_context(), time.sleep) if "://" in where else Local(Path(where))


# What there is --------------------------------------------------------------------------------------------------------


def status(update: UpdateSettings, places: Places) -> dict[str, Any]:
    """Return what runs, what was before, what waits, what is tried, how the last one ended, and who is trusted."""
    return {
        "version": __version__,
        "current": target(places.current),
        "previous": target(places.previous),
        "staged": _described(read_trial, places.staged),
        "trial": _described(read_trial, places.trial),
        "outcome": _described(read_outcome, places.outcome),
        "progress": progress(Path(update.progress)),
        "trusted": sorted(release_keys(Path(update.keys))),
    }


def _described(read: Callable[[Path], object], path: Path) -> dict[str, Any] | None:
    record = read(path)
    return None if record is None else msgspec.to_builtins(record)


def _print_status(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(told).decode())
        return
    for name, value in told.items():
        sys.stdout.write(f"{name:10} {_words(value)}\n")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={word}" for key, word in value.items() if word != "")
    return ", ".join(value) if isinstance(value, list) else str(value or "-")
