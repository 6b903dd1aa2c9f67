"""Files that must survive a power cut and that nobody else may read: private keys, certificates, revocations."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from device.errors import SettingsError
from device.messages.envelope import PrivateKey


def write_durably(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace the file at `path` as a whole: after a power cut it holds the old bytes or the new ones.

    What root writes belongs to the owner of the folder: the service, which has an account of its own, is to read what an
    operator's command has made.
    """
    _made(path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123 - Path.open takes no mode for a new file
        file.write(data)
        _hand_over(fresh)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _made(folder: Path) -> None:
    if folder.exists():
        return
    _made(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _hand_over(folder)


def _hand_over(path: Path) -> None:
    owner = path.parent.stat()
    if os.geteuid() == 0 and path.stat().st_uid != owner.st_uid:
        os.chown(path, owner.st_uid, owner.st_gid)


def p256_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key kept at `path`, made now if there is none.

    Raises:
        SettingsError: the file holds something else.
    """
    key = _load(path) or _keep(path, ec.generate_private_key(ec.SECP256R1()))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError(str(path), "not a P-256 key")
    return key


def ed25519_key(path: Path) -> ed25519.Ed25519PrivateKey:
    """Return the Ed25519 key kept at `path`, made now if there is none.

    Raises:
        SettingsError: the file holds something else.
    """
    key = _load(path) or _keep(path, ed25519.Ed25519PrivateKey.generate())
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise SettingsError(str(path), "not an Ed25519 key")
    return key


def private_pem(key: PrivateKey) -> bytes:
    """Return a private key as PEM (PKCS #8, not encrypted)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(path: Path) -> object | None:
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise SettingsError(str(path), f"not a private key: {error}") from None


def _keep(path: Path, key: PrivateKey) -> PrivateKey:
    write_durably(path, private_pem(key))
    return key
