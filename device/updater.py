"""What root's unit does with a request that the robot has left: `python -m device.updater SETTINGS`.

A program of its own, and not a verb of the robot's: beside a robot that talks there is no room for a second one on a small board.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from device.config import DeviceSettings, load
from device.errors import KaiwaError, UpdateError
from device.update.fetching import Remote
from device.update.guard import Outcome, Places, alone, read_outcome, read_trial, write
from device.update.request import Report, Request, left
from device.update.staging import Staging, Wish, this_board
from device.update.trust import trusted

_log = logging.getLogger(__name__)


def main(config: Path) -> int:
    """Carry out the request; return the exit code: 0 staged, or known; 1 not, and why stands where the robot reads it."""
    logging.basicConfig(level="INFO", stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = load(config)
        request = left(Path(settings.state_dir))
    except KaiwaError as error:
        _log.error("%s", error)
        return 1
    places = settings.update.places(settings.state_dir)
    if _known(places, request.id):
        return 0
    return _carried_out(settings, places, request, config)


def _known(places: Places, order: str) -> bool:
    """Tell whether this request was taken up before: a path unit may look twice."""
    records = (read_outcome(places.outcome), read_trial(places.staged), read_trial(places.trial))
    return any(record is not None and record.id == order for record in records)


def _carried_out(settings: DeviceSettings, places: Places, request: Request, config: Path) -> int:
    report = Report(Path(settings.update.progress), request.id)
    version, tell = "", report.tell
    try:
        tell("taken up")
        release = trusted(request.release.encode(), Path(settings.update.keys))
        version = release.version
        source = Remote(request.url, request.tls(), time.sleep)
        Staging(places, this_board(), config, tell).stage(Wish(request.id, release, source))
        tell("staged")
    except (UpdateError, OSError) as error:
        _log.warning("%s", error)
        report.fail(str(error))
        _keep(places, Outcome(request.id, version, kept=False, reason=str(error), at=time.time()))
        return 1
    return 0


def _keep(places: Places, outcome: Outcome) -> None:
    try:
        with alone(places):
            write(places.outcome, outcome)
    except OSError as error:
        _log.warning("that is told, and not kept: %s", error)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
