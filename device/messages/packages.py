"""PURE. How a Debian package lies in a file: an archive (ar(5), deb(5)) of three members, two of them tar archives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from device.errors import UpdateError

_MAGIC: Final = b"!<arch>\n"
_HEAD: Final = 60
_END: Final = b"`\n"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name, and where its bytes lie."""

    name: str
    start: int
    size: int


class Section:
    """A member's bytes, read once from the beginning: what tarfile needs of a stream."""

    def __init__(self, file: BinaryIO, member: Member) -> None:
        self._file, self._left = file, member.size
        file.seek(member.start)

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or all that are left."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        return data


def section(file: BinaryIO, name: str) -> Section:
    """Return the member whose name begins with `name`, such as `data.tar`.

    Raises:
        UpdateError: not a Debian package, or one without it.
    """
    for member in _members(file):
        if member.name.startswith(name):
            return Section(file, member)
    raise UpdateError(f"not a Debian package: it has no {name}")


def _members(file: BinaryIO) -> Iterator[Member]:
    file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        raise UpdateError("not a Debian package")
    at = len(_MAGIC)
    while head := file.read(_HEAD):
        member = _member(head, at + _HEAD)
        yield member
        at = member.start + member.size + member.size % 2
        file.seek(at)


def _member(head: bytes, start: int) -> Member:
    size = head[48:58].strip()
    if len(head) != _HEAD or head[58:] != _END or not size.isdigit():
        raise UpdateError("not a Debian package: damaged")
    return Member(head[:16].decode("ascii", "replace").rstrip(" /"), start, int(size))
