"""From a release to a version that the next start tries: brought, checked, unpacked beside the others, rehearsed, staged.

Nothing of a package is looked into before its bytes are those that somebody released whose key is pinned here, and the
version that runs is not touched: staging is the last step, and one rename.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device import __version__
from device.errors import UpdateError
from device.messages.releases import PRODUCT, Release
from device.update.fetching import Intake, Source
from device.update.fitness import ARCHITECTURES, Board, objection, room
from device.update.guard import PROGRAM, Places, Trial, alone, synced, target, usable, write
from device.update.unpacking import unpack

REHEARSAL_SECONDS: Final = 120.0
"""A Zero 2 W loads every library in some 20 s."""


def this_board() -> Board:
    """Return what this board is, and which version runs."""
    machine = platform.machine()
    return Board(__version__, ARCHITECTURES.get(machine, machine), f"{sys.version_info.major}.{sys.version_info.minor}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be staged: by which order, which release, from where; `downgrade` only where root asks for it here."""

    id: str
    release: Release
    source: Source
    downgrade: bool = False


@dataclass(frozen=True, slots=True)
class Staging:
    """Stages versions in `places`; `settings` is the file that the new version must understand; `tell` hears how far."""

    places: Places
    board: Board
    settings: Path
    tell: Callable[[str], None]

    def stage(self, wish: Wish) -> None:
        """Stage a version.

        Raises:
            UpdateError: it is not taken over, and why.
        """
        release = wish.release
        if reason := objection(release, self.board, downgrade=wish.downgrade):
            raise UpdateError(reason)
        with _disk(self.places.home), self._only_one():
            runs = target(self.places.current)
            self._prune()
            if missing := room(release, shutil.disk_usage(self.places.home).free):
                raise UpdateError(missing)
            folder = self._taken(wish)
            self._rehearse(folder, release)
            self._stage(wish.id, release.version, folder, runs)

    def go_back(self, order: str) -> str:
        """Stage the version before; return which.

        Raises:
            UpdateError: there is none.
        """
        with _disk(self.places.home), self._only_one():
            previous = target(self.places.previous)
            if not previous or not usable(self.places, previous):
                raise UpdateError("no version before is kept here")
            self._stage(order, previous.rpartition("/")[2], previous, target(self.places.current))
        return previous

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """Be the only one who stages, also beside root by hand: two would unpack what the other has just begun to fetch."""
        self._updates.mkdir(exist_ok=True)
        self._updates.chmod(0o755)
        opened = os.open(self._updates, os.O_RDONLY)
        try:
            if not _locked(opened) or self.places.staged.exists() or self.places.trial.exists():
                raise UpdateError("another update is under way")
            yield
        finally:
            os.close(opened)

    def _prune(self) -> None:
        """Delete what is neither the version that runs nor the one before, and what was cut off."""
        kept = {target(self.places.current), target(self.places.previous)}
        for found in self._updates.iterdir():
            if f"{self._updates.name}/{found.name}" not in kept:
                shutil.rmtree(found) if found.is_dir() and not found.is_symlink() else found.unlink()

    @property
    def _updates(self) -> Path:
        return self.places.home / "updates"

    def _taken(self, wish: Wish) -> str:
        """Bring, check and unpack; return the version's folder."""
        release, package, fresh = wish.release, self._updates / ".package", self._updates / ".new"
        intake = Intake(package, release, lambda got: self.tell(f"{got // 2**20} of {release.size // 2**20} MiB"))
        try:
            wish.source.bring(intake)
            intake.check()
        finally:
            intake.close()
        self.tell("unpacking")
        unpack(package, f"opt/{PRODUCT}/versions/{release.version}", fresh, release.unpacked)
        package.unlink()
        return self._settled(fresh, release.version)

    def _settled(self, fresh: Path, version: str) -> str:
        folder = self._updates / version
        if folder.exists():  # the version before, which is taken over anew
            shutil.rmtree(folder)
        os.sync()
        fresh.rename(folder)
        synced(self._updates)
        return f"{self._updates.name}/{version}"

    def _rehearse(self, folder: str, release: Release) -> None:
        """See whether it loads, is what it was released as, and understands the settings of this robot."""
        self.tell("rehearsing")
        program = str(self.places.home / folder / PROGRAM)
        said = _said(program, "--version")
        if said.split()[-1:] != [release.version]:
            raise UpdateError(f"{release.version} calls itself {said.strip()[:80]!r}")
        if self.settings.exists():
            _said(program, "config", "--config", str(self.settings))

    def _stage(self, order: str, version: str, folder: str, runs: str) -> None:
        """Have the next start try it, if `runs` is still what it would take the place of."""
        with alone(self.places):
            if target(self.places.current) != runs:
                raise UpdateError("another version was installed meanwhile")
            write(self.places.staged, Trial(order, version, folder, runs))


def _locked(opened: int) -> bool:
    """Lock an open folder for as long as it is open; return False where somebody else has."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=REHEARSAL_SECONDS)
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["nothing said"]
        raise UpdateError(f"the new version fails at `{' '.join(command[1:])}`: {last[0][:200]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateError(f"the new version does not start: {error}") from None
    return done.stdout


@contextmanager
def _disk(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "; try it with sudo" if isinstance(error, PermissionError) else ""
        raise UpdateError(f"{error.filename or home}: {error.strerror}{hint}") from None
