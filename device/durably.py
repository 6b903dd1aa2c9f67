"""Files that are there after a power cut, old or new, and never half of one."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, data: bytes, permissions: int = 0o600) -> None:
    """Replace the file at `path` as a whole: after a power cut it holds the old bytes or the new ones.

    The new bytes are on the disk before they get their name, and the name is when this returns. What root writes belongs
    to the owner of the folder (`hand_over`).

    Raises:
        OSError: the disk does not take it; then the old bytes are still there.
    """
    make_folder(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123 - Path.open takes no mode for a new file
        os.fchmod(file.fileno(), permissions)
        hand_over(file.fileno(), path.parent)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_folder(folder: Path) -> None:
    """Make a folder that may be there already, and those above it; each for whom the one above belongs to, and nobody else.

    Raises:
        OSError: the disk does not take it, or this user may not.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    made = os.open(folder, os.O_RDONLY)
    try:
        hand_over(made, folder.parent)
    finally:
        os.close(made)


def hand_over(opened: int, folder: Path) -> None:
    """Give what root has just made in `folder` to the owner of that: the robot, which has an account of its own, is to read it.

    systemd hands files over only with the folder (`StateDirectory=` in systemd.exec(5)): what `sudo kaiwa-device enrol`
    makes there later would stay root's.
    """
    owner = folder.stat()
    if os.geteuid() == 0 and os.fstat(opened).st_uid != owner.st_uid:
        os.fchown(opened, owner.st_uid, owner.st_gid)
