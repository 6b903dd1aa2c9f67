"""Newer versions of the robot: the package with a higher number, and, in some, with something broken.

One of them works; the others pass every check that a package can be put to, and show only when they run that they are no
good.
"""

from __future__ import annotations

import py_compile
import re
import shutil
import subprocess
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from device import __version__

ROOT: Final = Path(__file__).parents[2]
HOME: Final = Path("opt/kaiwa-device/versions")
"""Where a package holds the folder of its version."""


class Kind(Enum):
    """What is to become of a version; in the order of their numbers."""

    WORKS = "works"
    CRASHES = "crashes when it starts"
    LOST = "never finds its cloud"


@dataclass(frozen=True, slots=True)
class Change:
    """One passage of a file, and what takes its place."""

    file: str
    old: str
    new: str

    def made_in(self, folder: Path) -> Path:
        """Make it, and return the file.

        Raises:
            ValueError: the passage is not there, or not once.
        """
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return path


BROKEN: Final = {
    Kind.WORKS: (),
    Kind.CRASHES: (
        Change(
            "device/app.py",
            "    libopus()\n    await warm_up()\n",
            '    raise RuntimeError("this version is broken")\n',
        ),
    ),
    Kind.LOST: (
        Change("device/mqtt.py", "presence.address.port,\n            identifier", "1,\n            identifier"),
    ),
}


def number(kind: Kind) -> str:
    """Return the version number that a kind has: 0.2.0, 0.3.0 and so on after 0.1.0."""
    major, minor, *_ = __version__.split(".")
    return f"{major}.{int(minor) + 1 + list(Kind).index(kind)}.0"


def changes(kind: Kind) -> tuple[Change, ...]:
    """Return what is different in the program of this kind."""
    numbered = Change("device/__init__.py", f'__version__ = "{__version__}"', f'__version__ = "{number(kind)}"')
    return (numbered, *BROKEN[kind])


def change(kind: Kind, unpacked: Path) -> None:
    """Make of an unpacked package, as `dpkg-deb --raw-extract` leaves it, one of this kind.

    Raises:
        ValueError: what is to be changed is not in it any more.
    """
    Change("DEBIAN/control", f"Version: {__version__}\n", f"Version: {number(kind)}\n").made_in(unpacked)
    folder = (unpacked / HOME / __version__).rename(unpacked / HOME / number(kind))
    [program] = folder.glob("lib/python3.*/site-packages")
    for made in changes(kind):
        compiled = py_compile.PycInvalidationMode.UNCHECKED_HASH  # as the package has every module
        py_compile.compile(str(made.made_in(program)), doraise=True, invalidation_mode=compiled)


def build(kind: Kind, original: Path, folder: Path) -> None:
    """Build the package of this kind in `folder` out of that of this version."""
    unpacked = folder / "unpacked"
    _dpkg_deb("--raw-extract", original, unpacked)
    change(kind, unpacked)
    name = original.name.replace(f"_{__version__}_", f"_{number(kind)}_")
    _dpkg_deb("--root-owner-group", "-Zxz", "-z0", "--build", unpacked, folder / name)
    shutil.rmtree(unpacked)


def _dpkg_deb(*words: str | Path) -> None:
    subprocess.run(["dpkg-deb", *words], check=True, stdout=subprocess.DEVNULL)  # noqa: S607 - Debian's own


def package(kind: Kind, folder: Path) -> Path:
    """Return the package of this kind in `folder`.

    Raises:
        FileNotFoundError: it is not there.
    """
    for found in folder.glob("*.deb"):
        if re.match(rf"kaiwa-device_{re.escape(number(kind))}_", found.name):
            return found
    raise FileNotFoundError(f"{folder} holds no package of {number(kind)}")
