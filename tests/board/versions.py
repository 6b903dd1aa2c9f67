"""Newer versions of the robot: its tree with a higher number, and, in some, with something broken.

Each is built by `packaging/build-deb` as any other. One of them works; the others pass every check that a package can be
put to, and show only when they run that they are no good.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from device import __version__

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = (
    *("LICENSE", "README.md", "constraints.txt", "pyproject.toml"),
    *("device", "provisioning", "packaging", "systemd", "docs", "hardware"),
)
"""What a package is built from."""


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

    def made_in(self, tree: Path) -> None:
        """Make it.

        Raises:
            ValueError: the passage is not there, or not once.
        """
        path = tree / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


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


def tree(kind: Kind, folder: Path) -> Path:
    """Copy to `folder` what a package is built from, as this kind has it; return the folder.

    Raises:
        ValueError: what is to be changed is not in the tree any more.
    """
    folder.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / part)
    for change in (*_numbered(kind), *BROKEN[kind]):
        change.made_in(folder)
    return folder


def _numbered(kind: Kind) -> tuple[Change, Change]:
    return (
        Change("pyproject.toml", f'\nversion = "{__version__}"', f'\nversion = "{number(kind)}"'),
        Change("device/__init__.py", f'__version__ = "{__version__}"', f'__version__ = "{number(kind)}"'),
    )


def package(kind: Kind, folder: Path) -> Path:
    """Return the package of this kind in `folder`.

    Raises:
        FileNotFoundError: it is not there.
    """
    for found in folder.glob("*.deb"):
        if re.match(rf"kaiwa-device_{re.escape(number(kind))}_", found.name):
            return found
    raise FileNotFoundError(f"{folder} holds no package of {number(kind)}")
