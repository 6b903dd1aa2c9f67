"""One robot for one state folder: two with the same name would throw one another off the broker."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from device.durably import hand_over
from device.errors import KaiwaError

LOCK: Final = "running"
"""File in the state folder that a running robot holds with flock(2); the kernel lets go when the process ends."""


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Be the only robot of this folder for as long as the block runs; a folder that is not there needs no guard.

    Raises:
        KaiwaError: another one runs, or this user may not use the folder.
    """
    if not state_dir.is_dir():
        yield
        return
    with _opened(state_dir / LOCK) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KaiwaError(f"a robot with the state in {state_dir} is running already") from None
        yield


def _opened(path: Path) -> IO[str]:
    try:
        lock = path.open("w")
        hand_over(lock.fileno(), path.parent)
    except OSError as error:
        raise KaiwaError(
            f"cannot use {path.parent}: {error.strerror}; it belongs to the account of the robot"
        ) from None
    return lock


def is_running(state_dir: Path) -> bool:
    """Tell whether a robot holds this folder now.

    Raises:
        OSError: this user may not look.
    """
    try:
        with (state_dir / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
