"""PURE. Whether a release is one that this board may become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.messages.releases import PRODUCT, Release, order_of

MARGIN: Final = 64 * 2**20
"""Bytes of the disk that stay free: for the journal, the record of a talk, and what else is written meanwhile."""

ARCHITECTURES: Final = {"aarch64": "arm64", "x86_64": "amd64"}
"""Debian's names of what the kernel calls machines; a robot runs on 64 bits only."""


@dataclass(frozen=True, slots=True)
class Board:
    """What a board is, and which version runs there."""

    version: str
    architecture: str
    python: str


def objection(release: Release, board: Board, *, downgrade: bool = False) -> str:
    """Return why `board` does not become this release, or nothing if it may; `downgrade` is root's own wish."""
    if release.product != PRODUCT:
        return f"that is {release.product[:40]}, not {PRODUCT}"
    if release.architecture != board.architecture:
        return f"{release.version} is made for {release.architecture}, this is {board.architecture}"
    if release.python != board.python:
        return f"{release.version} is made for Python {release.python}, there is {board.python}"
    return _direction(release, order_of(board.version), board.version, downgrade=downgrade)


def _direction(release: Release, runs: tuple[int, ...], version: str, *, downgrade: bool) -> str:
    offered = order_of(release.version)
    if offered == runs:
        return f"{version} is what runs here"
    if offered > runs or downgrade:
        return ""
    if release.back_from is None:
        return f"{release.version} is older than {version}, which runs here, and was not released to go back to"
    if runs > order_of(release.back_from):
        return f"{release.version} may take the place of versions up to {release.back_from} only; {version} runs here"
    return ""


def room(release: Release, free: int) -> str:
    """Return what is missing when `free` bytes are too few for package and contents beside each other, or nothing."""
    needed = release.size + release.unpacked + MARGIN
    return "" if free >= needed else f"{-(-needed // 2**20)} MiB are needed, {free // 2**20} are free"
