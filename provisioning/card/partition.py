"""Looking at a card before it is written: whether it is one, its system will read it, and nobody has settings on it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from device.errors import SettingsError
from provisioning.card.cloud_init import MARK

_FIRMWARE: Final = ("cmdline.txt", "config.txt")
"""What the firmware of a Raspberry Pi reads; no other folder has both."""

_IMAGER: Final = ("systemd.run=", "ds=nocloud;i=")
"""What Raspberry Pi Imager puts on the kernel's command line with settings of its own (`downloadthread.cpp`, 2026-08).

The first runs a script in place of cloud-init; the second is a name of this first boot that ours does not get past.
"""


def check_partition(folder: Path, *, replace: bool = False) -> None:
    """See that `folder` is the boot partition of a card that is to be written; with `replace`, whatever is on it.

    Raises:
        SettingsError: it is something else, its system would not read it, or somebody's settings are on it.
    """
    if not all((folder / name).is_file() for name in _FIRMWARE):
        raise SettingsError(
            str(folder),
            "is not a card's boot partition, for it has no cmdline.txt and config.txt:"
            " put the flashed card in, mount its first partition (bootfs), and name that folder",
        )
    if not (folder / "user-data").is_file():
        raise SettingsError(
            str(folder),
            "has no user-data, so its system has no cloud-init:"
            " flash Raspberry Pi OS, 64 bit, of 24 November 2025 or later (Trixie)",
        )
    if any(word in _text(folder / "cmdline.txt") for word in _IMAGER):
        raise SettingsError(str(folder), "has settings of Raspberry Pi Imager's: flash it again without any")
    _check_owner(folder, replace=replace)


def _check_owner(folder: Path, *, replace: bool) -> None:
    others = [name for name in ("user-data", "network-config") if not _replaceable(_text(folder / name))]
    if others and not replace:
        raise SettingsError(
            str(folder),
            f"{' and '.join(others)} hold somebody's settings: flash it again, or write over with --replace",
        )


def _replaceable(text: str) -> bool:
    """Tell whether a file is ours, or says nothing: that of a new image holds comments only."""
    lines = [line.strip() for line in text.splitlines()]
    return MARK in lines or all(not line or line.startswith("#") for line in lines)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsError(str(path), f"cannot be read: {error.strerror}") from None
