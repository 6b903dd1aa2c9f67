"""A version's folder, out of its package: files, folders and links below it, and nothing that leads elsewhere.

tarfile's own `data` filter is not enough here, and not there either: Bookworm's Python 3.11.2 is older than it, and it
refuses the one link out of the folder that an environment has, to Debian's Python. So each member is judged and made
by what follows; owners, times and special bits of the archive are not taken over at all.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from device.errors import UpdateError
from device.messages.packages import section

INTERPRETER: Final = re.compile(r"/usr/bin/python3(\.\d+)?")
MOST_MEMBERS: Final = 100_000
BLOCK: Final = 4_096
"""What a file costs beside its bytes, at most."""


def unpack(package: Path, folder: str, into: Path, most: int) -> None:
    """Unpack what lies in `folder` of a Debian package into `into`, which is made; `most` bytes as a release counts them.

    Raises:
        UpdateError: not a package, without such a folder, with more in it, or with something that does not belong there.
        OSError: it cannot be written.
    """
    into.mkdir()
    into.chmod(0o755)
    with package.open("rb") as file:
        stream = cast("IO[bytes]", section(file, "data.tar"))
        try:
            with tarfile.open(fileobj=stream, mode="r|*") as archive:
                _unpack(archive, PurePosixPath(folder), into, most)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise UpdateError(f"the package is damaged: {error}") from None
    if not any(into.iterdir()):
        raise UpdateError(f"the package has nothing in {folder}")


def _unpack(archive: tarfile.TarFile, folder: PurePosixPath, into: Path, left: int) -> None:
    for number, member in enumerate(archive):
        inside = within(member.name, folder)
        if inside is None:
            continue
        left -= member.size + BLOCK
        if left < 0 or number > MOST_MEMBERS:
            raise UpdateError("the package holds more than its release says")
        _make(archive, member, folder, into, inside)


def within(name: str, folder: PurePosixPath) -> PurePosixPath | None:
    """Return where below `folder` a member lies; None for one that does not, or for the folder itself.

    Raises:
        UpdateError: its name leads out of wherever it begins.
    """
    path = PurePosixPath("/" + name.lstrip("/"))
    if ".." in path.parts:
        raise UpdateError(f"the package holds {name[:100]!r}")
    try:
        inside = path.relative_to("/" / folder)
    except ValueError:
        return None
    return inside if inside.parts else None


def leads_within(inside: PurePosixPath, target: str) -> bool:
    """Tell whether a link at `inside` to `target` stays in the folder, or is the one to Debian's Python.

    Up it goes first or never: `..` after a name leads out of wherever that name leads, which may be a link itself.
    """
    if target.startswith("/"):
        return INTERPRETER.fullmatch(target) is not None
    steps = PurePosixPath(target).parts
    up = sum(1 for _ in takewhile("..".__eq__, steps))
    return up < len(inside.parts) and ".." not in steps[up:]


def _make(
    archive: tarfile.TarFile, member: tarfile.TarInfo, folder: PurePosixPath, into: Path, inside: PurePosixPath
) -> None:
    path = _real(into, inside.parent) / inside.name
    if member.isdir():
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
    elif member.isreg():
        _file(archive, member, path)
    elif member.issym() and leads_within(inside, member.linkname):
        path.symlink_to(member.linkname)
    elif member.islnk() and (other := within(member.linkname, folder)) is not None:
        _same(_real(into, other.parent) / other.name, path)
    else:
        raise UpdateError(f"the package holds {member.name[:100]!r}, which leads out of its folder or is no file")


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = archive.extractfile(member)
    if source is None:
        raise UpdateError(f"the package holds {member.name[:100]!r} without its bytes")
    mode = 0o755 if member.mode & 0o100 else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with open(os.open(path, flags, mode), "wb") as file:  # noqa: PTH123 - Path.open takes no flags
        os.fchmod(file.fileno(), mode)
        shutil.copyfileobj(source, file)


def _same(file: Path, path: Path) -> None:
    """Give a file a second name; a link would lead elsewhere from another folder than its own."""
    if file.is_symlink():
        raise UpdateError(f"the package holds {path.name[:100]!r}, a second name of a link")
    os.link(file, path, follow_symlinks=False)


def _real(into: Path, inside: PurePosixPath) -> Path:
    """Return the folder at `inside`, of which no part is a link."""
    path = into
    for part in inside.parts:
        path /= part
        if path.is_symlink() or not path.is_dir():
            raise UpdateError(f"the package holds something below {str(inside)[:100]!r}, which is no folder")
    return path
