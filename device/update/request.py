"""What crosses the line between the robot, which may not change its own program, and root's unit, which may.

The robot leaves a request in its state folder; the unit believes nothing of it but what it can verify itself. How far it
has come, the unit writes where the robot can only read.
"""

from __future__ import annotations

import os
import ssl
import time
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from device.durably import write_durably
from device.errors import MalformedMessageError, UpdateError
from device.messages.releases import LONGEST_SEALED, Address
from device.messages.wire import MAX_BYTES, Message, decode, encode

FOLDER: Final = "update"
"""In the state folder: `request` for root's unit, `order` for the robot's own memory, `healthy` for the guard."""


class Request(Message, frozen=True):
    """What the robot asks for."""

    id: Annotated[str, Meta(pattern=r"^[0-9A-Za-z]{1,64}\Z")]
    """Of the order."""
    release: Annotated[str, Meta(max_length=LONGEST_SEALED)]
    url: Address
    authority: Annotated[str, Meta(pattern=r"^[\n\r -~]*\Z", max_length=16_384)] = ""
    """PEM of the fleet's own authority, which may have certified the server, too."""

    def tls(self) -> ssl.SSLContext:
        """Return whom to believe that they are the server: the system's authorities and the fleet's."""
        context = ssl.create_default_context()
        if self.authority:
            context.load_verify_locations(cadata=self.authority)
        return context


class Progress(Message, frozen=True):
    """How far the unit has come with a request."""

    id: str
    text: str
    at: float
    failed: bool = False
    """It has ended, for the reason in `text`: told here, too, for on a read-only or full disk the outcome is not written."""


def leave(state_dir: Path, request: Request) -> None:
    """Leave a request; the path unit sees it. It stays there, and is known by its id.

    Raises:
        OSError: it cannot be written.
    """
    write_durably(state_dir / FOLDER / "request", encode(request))


def left(state_dir: Path) -> Request:
    """Return the request that the robot has left.

    Raises:
        UpdateError: there is none, or it is no request.
    """
    path = state_dir / FOLDER / "request"
    try:
        # The folder is the robot's: a link to somewhere else, or a pipe that never ends, is no request.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(opened, "rb") as file:  # noqa: PTH123 - Path.open takes no flags
            return decode(file.read(MAX_BYTES + 1) or b"", Request)  # None of a pipe that somebody holds open
    except (OSError, MalformedMessageError) as error:
        raise UpdateError(f"{path}: {error}") from None


class Report:
    """Writes down how far the unit has come, once a second at most, for the robot to read."""

    def __init__(self, path: Path, order: str) -> None:
        self._path, self._order = path, order
        self._written = -1.0

    def tell(self, text: str) -> None:
        """Write it down, unless something was a moment ago."""
        now = time.monotonic()
        if self._written < 0 or now - self._written >= 1.0 or not text.endswith("MiB"):
            self._written = now
            self._write(Progress(id=self._order, text=text, at=time.time()))

    def fail(self, reason: str) -> None:
        """Write down that it is over, and why."""
        self._write(Progress(id=self._order, text=reason, at=time.time(), failed=True))

    def _write(self, progress: Progress) -> None:
        self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self._path.name}.new")
        fresh.write_bytes(encode(progress))
        fresh.chmod(0o644)
        fresh.replace(self._path)


def progress(path: Path) -> Progress | None:
    """Return how far the unit has come; None when it has not begun."""
    try:
        return decode(path.read_bytes(), Progress)
    except (OSError, MalformedMessageError):
        return None
