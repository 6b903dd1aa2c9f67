"""From one key and certificate to the next: what is on disk at each step, so that a power cut at any is no harm.

    next.key                 made; the certificate may have been asked for
    next.key next.pem        certified, not in use yet
    next.key next.pem        and enrolment.json holds that certificate: in use, and the cloud may not have been told
    (neither)                told; the key and certificate before are deleted with them

enrolment.json always names an identity that the cloud accepts: it changes before the cloud is told, and the cloud
retires the one before only then.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from device.chain import is_below
from device.durably import write_durably
from device.errors import EnrolmentError, RenewalError
from device.identity import Identity, IdentityFiles, keep_key, sweep, switch_enrolment
from device.messages.envelope import KeySigner, Signer

_KEY: Final = "next.key"
_CERTIFICATE: Final = "next.pem"


class ReplaceableSigner:
    """A signer whose key can be replaced while others sign with it."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def kid(self) -> str:
        """The id by which the other side finds the public key."""
        return self._signer.kid

    def sign(self, data: bytes) -> bytes:
        """Return the signature of the key in force over `data`."""
        return self._signer.sign(data)

    def replace(self, signer: Signer) -> None:
        """Sign with another key from now on."""
        self._signer = signer


def load(state_dir: Path, now: float) -> Identity:
    """Return the identity kept in `state_dir`, or the one that has come to succeed it if it ran out while switched off.

    `now` is in Unix seconds.

    Raises:
        EnrolmentError: never enrolled, damaged, or the certificate has run out.
        OSError: the successor cannot be kept.
    """
    present, succession = Identity.kept(state_dir), Succession(state_dir)
    if now >= present.expires_at and (successor := succession.successor(present)) is not None:
        successor.check(now)
        return succession.commit(present, successor)
    present.check(now)
    return present


def in_doubt(state_dir: Path, synchronized: bool | None) -> bool:
    """Tell whether nothing speaks against the identity in `state_dir` but a clock that was never set, and may be ahead.

    `synchronized` is what `ntp_synchronized` says; where nobody knows, the clock is believed.
    """
    if synchronized is not False:
        return False
    try:
        Identity.kept(state_dir)
    except EnrolmentError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Succession:
    """The files of a renewal in `state_dir`; every method may wait for the disk."""

    state_dir: Path

    def key(self) -> ec.EllipticCurvePrivateKey:
        """Return the key for the next certificate: the one that was made before a power cut, or a new one.

        Raises:
            OSError: it cannot be kept.
        """
        try:
            return self._files.load_key()
        except EnrolmentError:  # none yet, or what is left of one
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_durably(self._files.key, pem)
            return key

    def certified(self, present: Identity, certificate: str) -> Identity:
        """Keep the certificate for the next key, and return who this device will be with it.

        Raises:
            RenewalError: it is for another key or device, or not of the fleet's authority.
            OSError: it cannot be kept.
        """
        try:
            successor = self._identity(present, certificate)
        except (ValueError, x509.InvalidVersion) as error:
            raise RenewalError("certificate", f"it cannot be read: {error}") from None
        _check(successor, present)
        write_durably(self._files.certificate, certificate.encode())
        return successor

    def successor(self, present: Identity) -> Identity | None:
        """Return who this device will be, or is already, by a certificate that has come; None when there is none."""
        try:
            successor = self._identity(present, self._files.certificate.read_text(encoding="ascii"))
            _check(successor, present)
        except (OSError, ValueError, EnrolmentError, RenewalError):
            return None
        return successor

    def commit(self, present: Identity, successor: Identity) -> Identity:
        """Make `successor` the identity of this device, and return it with where it is kept now.

        Raises:
            RenewalError: the device has been enrolled anew meanwhile, as somebody else.
            OSError: it cannot be kept; then the one before still is.
        """
        if Identity.kept(self.state_dir).enrolment not in (present.enrolment, successor.enrolment):
            raise RenewalError("state", "this board was enrolled anew; start the robot again")
        keep_key(self.state_dir, self._files.load_key())
        files = switch_enrolment(self.state_dir, successor.enrolment)
        return Identity(successor.enrolment, successor.signer, files, successor.expires_at)

    def finish(self, present: Identity) -> None:
        """Delete what a renewal has left over: the key and certificate before, and at last its own files."""
        sweep(self.state_dir, present.files, self._files)
        sweep(self.state_dir, present.files)

    @property
    def _files(self) -> IdentityFiles:
        return IdentityFiles(self.state_dir / _KEY, self.state_dir / _CERTIFICATE)

    def _identity(self, present: Identity, certificate: str) -> Identity:
        enrolment = msgspec.structs.replace(present.enrolment, certificate=certificate)
        found = x509.load_pem_x509_certificate(certificate.encode())
        signer = KeySigner(enrolment.device, self._files.load_key())
        return Identity(enrolment, signer, self._files, found.not_valid_after_utc.timestamp())


def _check(successor: Identity, present: Identity) -> None:
    """Check that a certificate is what was asked for: whoever sent it might have mixed something up."""
    certificate = successor.certificate
    if certificate.public_key() != successor.files.load_key().public_key():
        raise RenewalError("certificate", "it is for another key")
    if certificate.subject != present.certificate.subject:
        raise RenewalError("certificate", "it is for another device")
    if not is_below(successor.enrolment.certificate, present.enrolment.authority):
        raise RenewalError("certificate", "it is not of the authority of this fleet")
