"""The guard of the two versions: begins a trial, ends it, and goes back, whatever the version on trial does.

It is installed beside the versions as a file by itself and run by Debian's own Python, as root, before every start of the
robot (`start`) and beside a trial (`watch`). It imports nothing that an update replaces, and an update does not replace it.

/opt/kaiwa-device/current      link to the version that is started: versions/…, updates/… or before
/opt/kaiwa-device/previous     link to the one before, once an update was kept
/opt/kaiwa-device/staged       a trial that the next start begins
/opt/kaiwa-device/trial        the trial that goes on
/opt/kaiwa-device/outcome      how the last one has ended

Each is replaced as a whole and fsynced before the next: wherever the power is cut, the next start goes on from there.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

UNIT = "kaiwa-device.service"
PROGRAM = "bin/kaiwa-device"
STARTS = 3
"""How often a version on trial may be started until it is seen to be well."""

PATIENCE = 300.0
"""Seconds from its first start, or from the computer's, after which it is given up: sound, and the cloud, are there in
20 s; a network that was just switched on takes minutes."""

_FOLDER = re.compile(r"(versions|updates)/[0-9A-Za-z][0-9A-Za-z.+~-]*|before")


@dataclass(frozen=True)
class Places:
    """Where everything lies: the folder of the versions, and what the robot itself says of its health.

    That file holds the id of the trial, and a line for each thing that is lacking; none when it is well.
    """

    home: Path
    healthy: Path

    @property
    def current(self) -> Path:
        """Link to the version that is started."""
        return self.home / "current"

    @property
    def previous(self) -> Path:
        """Link to the one before."""
        return self.home / "previous"

    @property
    def staged(self) -> Path:
        """The trial that the next start begins."""
        return self.home / "staged"

    @property
    def trial(self) -> Path:
        """The trial that goes on."""
        return self.home / "trial"

    @property
    def outcome(self) -> Path:
        """How the last one has ended."""
        return self.home / "outcome"


@dataclass(frozen=True)
class Trial:
    """One version that is tried: by whose order, which, from where, where else, and how many starts it has left."""

    id: str
    version: str
    to: str
    back: str
    left: int = STARTS

    @property
    def sound(self) -> bool:
        """Whether both folders can be some."""
        return all(map(_FOLDER.fullmatch, (self.to, self.back)))


@dataclass(frozen=True)
class Outcome:
    """How a trial, or the way to it, has ended; `at` in Unix seconds by this computer's clock."""

    id: str
    version: str
    kept: bool
    reason: str
    at: float


# What is to be done ---------------------------------------------------------------------------------------------------


def started(trial: Trial, *, usable: bool) -> tuple[str, Trial | None, str]:
    """Decide before a start: which folder is started, what is left of the trial, and why it is over if it is.

    `usable` is whether the folder on trial holds a program at all.
    """
    if not usable:
        return trial.back, None, "there is no program in it"
    if trial.left <= 0:
        return trial.back, None, f"it was not well after {STARTS} starts"
    return trial.to, replace(trial, left=trial.left - 1), ""


def watched(*, well: bool, waited: float, patience: float) -> bool | None:
    """Decide beside a trial that has gone on for `waited` seconds: True keeps it, False goes back, None waits on."""
    if well:
        return True
    return False if waited >= patience else None


# What is done ---------------------------------------------------------------------------------------------------------


def read_trial(path: Path) -> Trial | None:
    """Return the trial in a file; None when there is none, or it cannot be one."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        trial = Trial(str(raw["id"]), str(raw["version"]), str(raw["to"]), str(raw["back"]), int(raw["left"]))
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return trial if trial.sound else None


def read_outcome(path: Path) -> Outcome | None:
    """Return how the last trial has ended; None when there was none."""
    try:
        return Outcome(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(path: Path, record: Trial | Outcome) -> None:
    """Replace a file as a whole: after a power cut it holds the old record or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)  # the robot reads it
        json.dump(asdict(record), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    synced(path.parent)


def point(link: Path, target: str) -> None:
    """Make a link lead to `target`; after a power cut it leads there or where it led before."""
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    synced(link.parent)


def remove(path: Path) -> None:
    """Delete a file that may be gone already."""
    path.unlink(missing_ok=True)
    synced(path.parent)


def synced(folder: Path) -> None:
    """Return once the names in a folder are on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Keep everybody else from changing which version is the current one; the kernel lets go when the process ends."""
    opened = os.open(places.home, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def target(link: Path) -> str:
    """Return where a link leads, empty when there is none."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def usable(places: Places, folder: str) -> bool:
    """Tell whether a folder holds a program."""
    return os.access(places.home / folder / PROGRAM, os.X_OK)


def start(places: Places) -> str:
    """Before a start: begin the trial that is staged, count one that goes on, keep it, or go back; return what was done."""
    if not places.staged.exists() and not places.trial.exists():
        return ""
    with alone(places):
        if not places.trial.exists():
            _begin(places)
        trial = read_trial(places.trial)
        if trial is None:
            remove(places.trial)
            return "a trial that could not be read was dropped"
        if target(places.current) != trial.to:
            _forget(places.healthy)  # it was said by another version
        elif not lacking(places, trial):  # and whoever watches has not looked yet
            _keep(places, trial)
            return f"{trial.to} is kept"
        folder, rest, reason = started(trial, usable=usable(places, trial.to))
        if rest is None:
            _back(places, trial, reason)
            return f"back to {folder}: {reason}"
        write(places.trial, rest)
        point(places.current, folder)
        return f"{folder} on trial, {rest.left} more starts"


def _begin(places: Places) -> None:
    places.staged.replace(places.trial)
    synced(places.home)


def _back(places: Places, trial: Trial, reason: str) -> None:
    """Go back; cut off anywhere in here, the next start sees a trial with no start left, and comes here again.

    A disk that is full takes no more files, but a link: that it went back comes before that it is written down.
    """
    with _as_far_as_it_goes():
        write(places.trial, replace(trial, left=0))
    if usable(places, trial.back):
        point(places.current, trial.back)
    with _as_far_as_it_goes():
        write(places.outcome, Outcome(trial.id, trial.version, False, reason, time.time()))
    remove(places.trial)


@contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        print(f"kaiwa-device: cannot be written down: {error}", file=sys.stderr)


def _keep(places: Places, trial: Trial) -> None:
    """Keep what was tried; cut off anywhere in here, it is tried once more."""
    point(places.previous, trial.back)
    write(places.outcome, Outcome(trial.id, trial.version, True, "", time.time()))
    remove(places.trial)


def _forget(healthy: Path) -> None:
    """Delete what was said of another trial, or by another version; its folder is the robot's, and no link is followed."""
    with suppress(OSError):
        folder = os.open(healthy.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.unlink(healthy.name, dir_fd=folder)
        finally:
            os.close(folder)


def lacking(places: Places, trial: Trial) -> str:
    """Return what the robot says that it lacks in this very trial; nothing when it is well."""
    if target(places.current) != trial.to:
        return "it was never started"
    try:
        # The folder is the robot's: a pipe that never ends, or a link to somewhere else, says nothing.
        opened = os.open(places.healthy, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            said = os.read(opened, 1_000).decode("ascii", "replace").split("\n")
        finally:
            os.close(opened)
    except OSError:
        said = []
    if not said or said[0] != trial.id:
        return "it has not said a word"
    return ", ".join(said[1:])[:200]


def look(places: Places, waited: float, patience: float) -> bool | None:
    """Keep the version on trial, or go back from it, if it is time; None when it is not."""
    with alone(places):
        trial = read_trial(places.trial)
        if trial is None:
            return None
        lacks = lacking(places, trial)
        verdict = watched(well=not lacks, waited=waited, patience=patience)
        if verdict is True:
            _keep(places, trial)
        elif verdict is False:
            _back(places, trial, f"it was not well within {patience:.0f} s: {lacks}")
        return verdict


def watch(places: Places, patience: float, now: Callable[[], float], rest: Callable[[], None]) -> bool | None:
    """Stand beside a trial until it is over; return how, or None when there was none."""
    began = now()
    while places.staged.exists() or places.trial.exists():
        verdict = look(places, now() - began, patience)
        if verdict is not None:
            return verdict
        rest()
    return None


def restart() -> None:
    """Have systemd start the robot anew, from wherever the link leads now; one that somebody has stopped stays so."""
    for words in (["reset-failed", UNIT], ["try-restart", "--no-block", UNIT]):
        subprocess.run(["systemctl", *words], check=False)  # noqa: S607 - a Debian program found by PATH


def main(verb: str, root: str = "") -> int:
    """Run `start` or `watch`."""
    places = Places(Path(f"{root}/opt/kaiwa-device"), Path(f"{root}/var/lib/kaiwa/update/healthy"))
    if verb == "start":
        done = start(places)
        if done:
            print(f"kaiwa-device: {done}", file=sys.stderr)
        return 0
    patience = float(os.environ.get("KAIWA_TRIAL_SECONDS", PATIENCE))
    kept = watch(places, patience, time.monotonic, lambda: time.sleep(min(1.0, patience / 10)))
    if kept is False:
        print("kaiwa-device: back to the version before", file=sys.stderr)
        restart()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ.get("KAIWA_ROOT", "")))
