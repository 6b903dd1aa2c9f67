"""Who this device is: its enrolment, the key that nobody else has, and whom it trusts.

enrolment.json      what the cloud gave (device.messages.enrolment.Enrolment)
HASH.key HASH.pem   key and certificate, named by the key's SHA-256, so that one rename of
enrolment.json changes from one identity to the next as a whole
next.key next.pem   what a renewal has come to so far (device.succession)
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from device.durably import write_durably
from device.errors import EnrolmentError, MalformedMessageError
from device.messages.enrolment import BrokerAddress, Enrolment
from device.messages.envelope import KeySigner, PublicKey, Signer, load_public_pem
from device.messages.wire import decode, encode

_ENROLMENT: Final = "enrolment.json"
_AGAIN: Final = "enrol it with a new claim (kaiwa-device enrol CLAIM)"


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled device; nothing in it can be changed, a new enrolment makes a new one."""

    enrolment: Enrolment
    signer: Signer
    files: IdentityFiles
    expires_at: float
    """Unix seconds at which the certificate runs out."""

    @classmethod
    def load(cls, state_dir: Path, now: float) -> Self:
        """Return the identity kept in `state_dir`; `now` in Unix seconds.

        Raises:
            EnrolmentError: never enrolled, damaged, or the certificate has run out.
        """
        identity = cls.kept(state_dir)
        identity.check(now)
        return identity

    @classmethod
    def kept(cls, state_dir: Path) -> Self:
        """Return it, whether its certificate has run out or not.

        Raises:
            EnrolmentError: never enrolled, or damaged.
        """
        enrolment = _stored(state_dir)
        certificate = _certificate(enrolment)
        files = IdentityFiles.of(state_dir, certificate.public_key())
        signer = KeySigner(enrolment.device, files.load_key())
        return cls(enrolment, signer, files, certificate.not_valid_after_utc.timestamp())

    def check(self, now: float) -> None:
        """Check that the certificate is good at `now`, in Unix seconds.

        Raises:
            EnrolmentError: it has run out.
        """
        if now >= self.expires_at:
            day = self.certificate.not_valid_after_utc.date().isoformat()
            raise EnrolmentError(f"the certificate of {self.device} ran out on {day}; {_AGAIN}")

    @property
    def device(self) -> str:
        """The device's id: in its topics, in its certificate, and as its MQTT client id."""
        return self.enrolment.device

    @property
    def broker(self) -> BrokerAddress:
        """Where the MQTT broker listens."""
        return self.enrolment.broker

    @property
    def certificate(self) -> x509.Certificate:
        """The device's own certificate."""
        return _certificate(self.enrolment)

    def tls_context(self) -> ssl.SSLContext:
        """Return what connects to the broker: mutual TLS, trusting the fleet's authority only.

        Raises:
            EnrolmentError: key or certificate are missing or damaged.
        """
        try:
            context = ssl.create_default_context(cadata=self.enrolment.authority)
            context.load_cert_chain(self.files.certificate, self.files.key)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise EnrolmentError(f"{self.files.certificate} cannot be used: {error}; {_AGAIN}") from None
        return context

    def mint_key(self, kid: str) -> PublicKey | None:
        """Return the key that verifies answers of the minter, if it has this id."""
        return load_public_pem(self.enrolment.mint_key) if kid == self.enrolment.mint_kid else None

    @property
    def pinned_mint_key(self) -> PublicKey:
        """The minter's key, as the claim has pinned it."""
        return load_public_pem(self.enrolment.mint_key)

    def operator_key(self, kid: str) -> PublicKey | None:
        """Return the key that verifies commands of the operator with this key id."""
        pem = self.enrolment.operators.get(kid)
        return None if pem is None else load_public_pem(pem)


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Where one key and its certificate are kept, in PEM."""

    key: Path
    certificate: Path

    @classmethod
    def of(cls, state_dir: Path, public: object) -> Self:
        """Return the files for this P-256 public key.

        Raises:
            EnrolmentError: a key of another kind.
        """
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise EnrolmentError(f"the certificate is for a {type(public).__name__}; {_AGAIN}")
        raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        name = hashlib.sha256(raw).hexdigest()[:16]
        return cls(state_dir / f"{name}.key", state_dir / f"{name}.pem")

    def load_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the private key.

        Raises:
            EnrolmentError: it is missing or damaged.
        """
        try:
            key = load_pem_private_key(self.key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise EnrolmentError(f"the key {self.key} cannot be read: {error}; {_AGAIN}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise EnrolmentError(f"the key {self.key} is not a P-256 key; {_AGAIN}")
        return key


def keep_key(state_dir: Path, key: ec.EllipticCurvePrivateKey) -> IdentityFiles:
    """Write a new private key to where the certificate for it will look for it; readable by the owner only."""
    files = IdentityFiles.of(state_dir, key.public_key())
    write_durably(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def keep_enrolment(state_dir: Path, enrolment: Enrolment) -> None:
    """Make `enrolment` the identity kept in `state_dir`; the one before it stays good until the last step.

    Raises:
        EnrolmentError: its certificate is for a key that was not kept before.
    """
    sweep(state_dir, switch_enrolment(state_dir, enrolment))


def switch_enrolment(state_dir: Path, enrolment: Enrolment) -> IdentityFiles:
    """Make `enrolment` the identity kept in `state_dir`, and leave the files of the one before.

    Raises:
        EnrolmentError: its certificate is for a key that was not kept before.
    """
    files = IdentityFiles.of(state_dir, _certificate(enrolment).public_key())
    files.load_key()
    write_durably(files.certificate, enrolment.certificate.encode())
    write_durably(state_dir / _ENROLMENT, encode(enrolment))
    return files


def sweep(state_dir: Path, *kept: IdentityFiles) -> None:
    """Delete every key and certificate in `state_dir` except these, and what a power cut has left of half-written ones."""
    keep = {path for files in kept for path in (files.key, files.certificate)}
    for stale in [
        file for pattern in ("*.key", "*.pem", ".*.key.new", ".*.pem.new") for file in state_dir.glob(pattern)
    ]:
        if stale not in keep:
            stale.unlink(missing_ok=True)


def certificate_request(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a certificate request in PEM; its subject is empty, for the cloud chooses the name."""
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def _stored(state_dir: Path) -> Enrolment:
    path = state_dir / _ENROLMENT
    try:
        return decode(path.read_bytes(), Enrolment)
    except FileNotFoundError:
        raise EnrolmentError(f"this device is not enrolled: {path} is missing; {_AGAIN}") from None
    except (OSError, MalformedMessageError) as error:
        raise EnrolmentError(f"{path} cannot be used: {error}; {_AGAIN}") from None


def _certificate(enrolment: Enrolment) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(enrolment.certificate.encode())
    except (ValueError, x509.InvalidVersion) as error:
        raise EnrolmentError(f"the certificate cannot be used: {error}; {_AGAIN}") from None
