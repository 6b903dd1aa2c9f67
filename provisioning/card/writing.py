"""Writing a card: the files of cloud-init, and a folder with package, claim, and what to do with them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import SettingsError
from device.messages.enrolment import Claim
from provisioning.card.cloud_init import FOLDER, Wifi, meta_data, network_config, user_data
from provisioning.keyfiles import write_durably

SCRIPT: Final = Path(__file__).parent / "first-boot"

_PACKAGE: Final = re.compile(r"kaiwa-device_[^_/]+_(arm64|all)\.deb")
_ARCHIVE: Final = b"!<arch>\n"
"""How Debian packages begin (deb(5))."""

_OF_THE_BOARD: Final = ("log.txt", "before")
"""What a board has noted of the first boot before."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a card is to hold; `build` is the folder below `hardware/` whose wiring the robot has."""

    device: str
    build: str
    package: Path
    network: Wifi | None = None
    ssh_keys: Sequence[str] = ()
    language: str = ""
    """In which the robot says what is wrong with it; empty: the default of its settings."""
    time_zone: str = ""
    """Of the IANA's names; empty: the image's."""


def check_package(package: Path) -> None:
    """See that this is a robot's package for a board.

    Raises:
        SettingsError: it is not, or cannot be read.
    """
    try:
        with package.open("rb") as file:
            begins = file.read(len(_ARCHIVE))
    except OSError as error:
        raise SettingsError(str(package), f"cannot be read: {error.strerror}") from None
    if begins != _ARCHIVE or not _PACKAGE.fullmatch(package.name):
        raise SettingsError(str(package), "is no kaiwa-device_VERSION_arm64.deb, as `make deb` builds on a board")


def write_card(folder: Path, card: Card, claim: Claim) -> list[Path]:
    """Write all of it into `folder`, the boot partition; readable by its owner only, where the file system knows owners.

    Raises:
        SettingsError: it cannot be written, or is full.
    """
    ours = folder / FOLDER
    texts = {
        folder / "meta-data": meta_data(card.device, f"{card.device}-{secrets.token_hex(4)}"),
        folder / "network-config": network_config(card.network),
        ours / "build": card.build,
        ours / "language": card.language,
        ours / "claim": str(claim),
        ours / "first-boot": SCRIPT.read_text("utf-8"),
        folder / "user-data": user_data(
            card.device, card.ssh_keys, time_zone=card.time_zone, radio=card.network is not None
        ),
    }
    try:
        ours.mkdir(mode=0o700, exist_ok=True)
        for stale in (*ours.glob("*.deb"), *(ours / name for name in _OF_THE_BOARD)):
            stale.unlink(missing_ok=True)
        _copy(card.package, ours / card.package.name)
        for path, text in texts.items():
            write_durably(path, text.encode())
    except OSError as error:
        raise SettingsError(str(folder), f"cannot be written: {error.strerror}") from None
    return [ours / card.package.name, *texts]


def _copy(source: Path, target: Path) -> None:
    """Copy a file so that it is on the card, and not in this computer's memory, when the card is pulled out."""
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
