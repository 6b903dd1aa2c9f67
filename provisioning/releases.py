"""Releasing: a package is described byte for byte, and signed by a key that lies on no board and in no cloud."""

from __future__ import annotations

import hashlib
import re
import tarfile
from pathlib import Path
from typing import IO, Final, cast

import msgspec

from device.errors import MalformedMessageError, SettingsError, UpdateError
from device.messages.envelope import Envelope, KeySigner, public_pem
from device.messages.packages import section
from device.messages.releases import PRODUCT, Release, Version, key_id, seal_release
from device.messages.wire import convert, decode
from provisioning.keyfiles import ed25519_key, write_durably

SUFFIX: Final = ".release"
"""What the signed description of a package is called after it."""

_BLOCK: Final = 4_096
"""Bytes that a file may cost beside its own, as robots count them."""

_PYTHON: Final = re.compile(r"python3 \(>= (3\.\d+)\)")


def make_key(path: Path) -> str:
    """Make a key that signs releases: `path` with .key and, to be pinned in robots, with .pem; return its id.

    Raises:
        SettingsError: there is one.
    """
    private = path.with_suffix(".key")
    if private.exists():
        raise SettingsError(str(private), "there is a key here; robots that trust it would trust no other")
    public = ed25519_key(private).public_key()
    write_durably(path.with_suffix(".pem"), public_pem(public).encode(), 0o644)
    return key_id(public)


def signer(path: Path) -> KeySigner:
    """Return what signs releases with the key at `path`.

    Raises:
        SettingsError: there is none.
    """
    if not path.exists():
        raise SettingsError(str(path), "there is no key; kaiwa-cloud release new-key makes one")
    key = ed25519_key(path)
    return KeySigner(key_id(key.public_key()), key)


def sign(package: Path, by: KeySigner, now: float, back_from: str | None = None) -> Release:
    """Sign a package: its release lies beside it from now on, as robots and `kaiwa-cloud update` want it.

    `back_from` is the newest version whose place it may take although that is newer.

    Raises:
        SettingsError: that is no package of the robot's, or it cannot be read.
    """
    release = described(package, now, back_from)
    write_durably(beside(package), seal_release(release, by), 0o644)
    return release


def beside(package: Path) -> Path:
    """Return where the release of a package lies."""
    return package.with_name(package.name + SUFFIX)


def described(package: Path, now: float, back_from: str | None = None) -> Release:
    """Return what a package is.

    Raises:
        SettingsError: that is no package of the robot's, or it cannot be read.
    """
    try:
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            control = _control(cast("IO[bytes]", section(file, "control.tar")))
            _check(control)
            version = convert(control.get("Version"), str)
            unpacked = _unpacked(cast("IO[bytes]", section(file, "data.tar")), f"./opt/{PRODUCT}/versions/{version}/")
        python = _PYTHON.search(control.get("Depends", ""))
        return convert(
            {
                "product": control.get("Package", ""),
                "version": version,
                "architecture": control.get("Architecture", ""),
                "python": python[1] if python else "",
                "size": package.stat().st_size,
                "unpacked": unpacked,
                "sha256": digest,
                "released_at": now,
                "back_from": back_from,
            },
            Release,
        )
    except (OSError, tarfile.TarError, EOFError, UpdateError, MalformedMessageError) as error:
        raise SettingsError(str(package), f"is no package of {PRODUCT}: {error}") from None


def _check(control: dict[str, str]) -> None:
    if control.get("Package") != PRODUCT:
        raise UpdateError(f"it is {control.get('Package', '')[:40]!r}")


def _control(stream: IO[bytes]) -> dict[str, str]:
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            if member.name in {"./control", "control"} and (file := archive.extractfile(member)):
                lines = file.read(65_536).decode("utf-8", "replace").splitlines()
                return {
                    name: value.strip() for name, _, value in (line.partition(":") for line in lines) if name[:1] != " "
                }
    return {}


def _unpacked(stream: IO[bytes], folder: str) -> int:
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        return sum(member.size + _BLOCK for member in archive if member.name.startswith(folder))


def read(path: Path) -> tuple[str, Release]:
    """Return a release as it is signed, and what it says; whether its key is a good one is the robots' to judge.

    Raises:
        SettingsError: it cannot be read, or is none.
    """
    try:
        sealed = path.read_bytes()
        return sealed.decode("ascii"), decode(decode(sealed, Envelope).payload, Release)
    except (OSError, ValueError) as error:  # MalformedMessageError is a ValueError
        raise SettingsError(str(path), f"is no release: {error}") from None


def signed_by(sealed: str) -> str:
    """Return the id of the key that is said to have signed a release."""
    return decode(sealed.encode(), Envelope).kid


def as_version(text: str) -> str:
    """Return a version, if it is one.

    Raises:
        SettingsError: it is none.
    """
    try:
        return msgspec.convert(text, Version)
    except msgspec.ValidationError:
        raise SettingsError(text, "is no version; it looks like 1.2.3") from None
