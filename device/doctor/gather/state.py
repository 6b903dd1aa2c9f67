"""Looks at the folder of the robot's state: who may use it, and whose the files are."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from device.doctor.checks.state import StateFacts
from device.doctor.gather.pins import user

OF_THE_DISK: Final = "lost+found"
"""Root's in every ext4, and nobody's concern where the state is a disk of its own."""


def gather(state_dir: Path) -> StateFacts:
    """Return what is to be seen of the folder; one that is not there yet is open, and empty."""
    closed = is_closed(state_dir)
    return StateFacts(str(state_dir), user(), closed, () if closed else tuple(sorted(_foreign(state_dir))))


def is_closed(state_dir: Path) -> bool:
    """Tell whether this user may not use the folder, or make it where it is not yet; a disk that is read-only is open."""
    if os.geteuid() == 0:  # whatever root may not do, no right of another's mends it
        return False
    try:
        folder = next((path for path in (state_dir, *state_dir.parents) if path.is_dir()), state_dir)
        list(folder.iterdir())
        os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    except OSError as error:
        return error.errno in {errno.EACCES, errno.EPERM}
    return False


def _foreign(state_dir: Path) -> Iterator[str]:
    """Yield what somebody else than the folder's owner owns, there and one folder below."""
    try:
        owner = state_dir.stat().st_uid
        for path in (*state_dir.glob("*"), *state_dir.glob("*/*")):
            if path.lstat().st_uid != owner and path.name != OF_THE_DISK:
                yield str(path.relative_to(state_dir))
    except OSError:  # a file that goes meanwhile; what is there of it can be seen the next time
        return
