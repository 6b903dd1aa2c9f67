"""Whose releases this robot takes over: the public keys that lie where only root writes."""

from __future__ import annotations

from pathlib import Path

from device.durably import write_durably
from device.errors import MessageError, UpdateError
from device.messages.envelope import PublicKey, load_public_pem
from device.messages.releases import Release, key_id, open_release


def release_keys(folder: Path) -> dict[str, PublicKey]:
    """Return the keys in `folder`, one file each, by their ids; none when there is no such folder.

    Raises:
        UpdateError: a file in it is no public key, or cannot be read.
    """
    found: dict[str, PublicKey] = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            key = load_public_pem(path.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise UpdateError(f"{path}: {error}") from None
        found[key_id(key)] = key
    return found


def trusted(sealed: bytes, folder: Path) -> Release:
    """Return the release in `sealed`, once one of the keys in `folder` has been seen to have signed it.

    Raises:
        UpdateError: not a release, by another key, or there is no key at all.
    """
    keys = release_keys(folder)
    if not keys:
        raise UpdateError(f"nobody's releases are trusted here: {folder} holds no key")
    try:
        return open_release(sealed, keys)
    except MessageError as error:
        raise UpdateError(f"not a release that is trusted here: {error}") from None


def trust(pem: Path, folder: Path) -> str:
    """Pin one more key; return its id.

    Raises:
        UpdateError: that is no public key, or the folder cannot be written to.
    """
    try:
        text = pem.read_text(encoding="ascii")
        name = key_id(load_public_pem(text))
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_durably(folder / f"{name}.pem", text.encode("ascii"), 0o644)
    except (OSError, ValueError) as error:
        raise UpdateError(f"{pem}: {error}") from None
    return name
