"""Who signs a fleet's certificates: an issuing key in the cloud, below a root whose key can be kept elsewhere.

    ca.key ca.pem               the root: what a claim pins and every robot trusts
    issuing.key issuing.pem     signs all certificates of the fleet, and the list of revocations

`ca.key` is needed where `issuing.pem` is made: at first, and again when it ends. Without it everything else goes on.
A fleet whose root was made by a version before this one has no issuing key: there the root signs, and must stay.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from device.errors import SettingsError
from provisioning.certificates import Issuer, issued_by, root, signs_leaves_only
from provisioning.keyfiles import p256_key, write_durably

_log = logging.getLogger(__name__)

RENEWED_BEFORE: Final = 428 * 86_400.0
"""Seconds before its end at which `issuing.pem` is made anew: no certificate below it (398 days at most) outlives it."""


@dataclass(frozen=True, slots=True)
class Issuing:
    """The root's certificate, and who signs below it: the root itself in a fleet of an earlier version."""

    root: x509.Certificate
    issuer: Issuer

    def chained(self, certificate: x509.Certificate) -> bytes:
        """Return a certificate in PEM with what others need, who know the root only, to believe it."""
        between = [] if self.issuer.certificate == self.root else [self.issuer.certificate]
        return b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *between))


def open_issuing(folder: Path, now: float) -> Issuing:
    """Open what signs in `folder`, and make what is missing; the root's key may be away.

    Raises:
        SettingsError: a file is not what it should be, or the root's key is needed and not there.
        OSError: the folder cannot be used.
    """
    if not (folder / "ca.pem").exists():
        key = p256_key(folder / "ca.key")
        write_durably(folder / "ca.pem", root(key, now).public_bytes(Encoding.PEM), 0o644)
    top = read_certificate(folder / "ca.pem")
    signer = _root_issuer(folder, top)
    if not signs_leaves_only(top):
        return Issuing(top, _issuer(folder, signer, top, now))
    if signer is None:
        raise _needed(folder, "it signs everything in this fleet, which an earlier version began")
    return Issuing(top, signer)


def root_key(folder: Path) -> Path | None:
    """Return the file of the root's key if it could be kept elsewhere, and is here."""
    path = folder / "ca.key"
    return path if path.exists() and (folder / "issuing.pem").exists() else None


def read_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate in a file.

    Raises:
        SettingsError: it holds none.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise SettingsError(str(path), f"not a certificate: {error}") from None


def _root_issuer(folder: Path, top: x509.Certificate) -> Issuer | None:
    if not (folder / "ca.key").exists():
        return None
    key = p256_key(folder / "ca.key")
    if top.public_key() != key.public_key():
        raise SettingsError(str(folder), "ca.key is not the key of ca.pem; bring back the key that every robot trusts")
    return Issuer(key, top)


def _issuer(folder: Path, signer: Issuer | None, top: x509.Certificate, now: float) -> Issuer:
    """Return who signs below a root, made or renewed by `signer` if that is here."""
    present = _present(folder, top)
    if signer is None:
        if present is None:
            raise _needed(folder, "issuing.key and issuing.pem, which it has made, do not fit together")
        _warn_of_its_end(present.certificate, now)
        return present
    if present is None or _left(present.certificate, now) < RENEWED_BEFORE:
        key = p256_key(folder / "issuing.key")
        made = signer.subordinate(key.public_key(), now)
        write_durably(folder / "issuing.pem", made.public_bytes(Encoding.PEM), 0o644)
        return Issuer(key, made)
    return present


def _present(folder: Path, top: x509.Certificate) -> Issuer | None:
    """Return who signs, as it is kept, if that is whole."""
    if not ((folder / "issuing.key").exists() and (folder / "issuing.pem").exists()):
        return None
    key, certificate = p256_key(folder / "issuing.key"), read_certificate(folder / "issuing.pem")
    fits = certificate.public_key() == key.public_key() and issued_by(certificate, top)
    return Issuer(key, certificate) if fits else None


def _warn_of_its_end(certificate: x509.Certificate, now: float) -> None:
    if _left(certificate, now) < RENEWED_BEFORE:
        day = datetime.fromtimestamp(certificate.not_valid_after_utc.timestamp(), UTC).date()
        _log.warning("issuing.pem ends on %s: bring ca.key back for a moment and run `kaiwa-cloud init`", day)


def _left(certificate: x509.Certificate, now: float) -> float:
    return certificate.not_valid_after_utc.timestamp() - now


def _needed(folder: Path, why: str) -> SettingsError:
    return SettingsError(str(folder / "ca.key"), f"it is missing, and {why}; bring it back")
