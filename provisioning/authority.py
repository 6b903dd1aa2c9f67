"""The fleet's own certificate authority and its signing keys, kept in one folder of the state directory.

    ca.key ca.pem                    the root: what a claim pins and every robot trusts; the key may be kept elsewhere
    issuing.key issuing.pem crl.pem  signs all certificates below, and the list of revocations (provisioning.issuing)
    server.key server.pem            the broker, and the enrolment server
    mint.key                         signs grants (Ed25519)
    services/NAME.key .pem           MQTT identities of the cloud itself
    operators/NAME.key .pem          MQTT identity of an operator
    operators/NAME.signing.key       signs that operator's commands (Ed25519)
    operators/NAME.mandate           by which robots obey an operator whose key they have not pinned
    operators/revoked/SERIAL.pem     certificates of operators who were revoked

Everything is made at first use; what runs out is made anew when the service starts, or runs (`renew`).
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.errors import SettingsError
from device.messages.envelope import KeySigner, PublicKey, public_pem
from provisioning.certificates import (
    CLIENT,
    SERVER,
    Issuer,
    device_name,
    fingerprint,
    host_name,
    issued_by,
)
from provisioning.issuing import open_issuing, read_certificate, root_key
from provisioning.keyfiles import ed25519_key, p256_key, write_durably
from provisioning.mint_key import MintKey
from provisioning.roles import EVERYTHING

LEAF_DAYS: Final = 398.0
"""Life of the cloud's own certificates."""

RENEWED_BEFORE: Final = 30 * 86_400.0
"""They are made anew when the service starts, or looks, within so many seconds of their end."""

MINTER: Final = EVERYTHING
"""MQTT identity of the whole cloud in one process."""

_OPERATOR: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class IdentityFiles:
    """Where one identity is kept, in PEM."""

    certificate: Path
    key: Path


class Authority:
    """The open authority; `names` are those its server certificate must be good for."""

    def __init__(self, folder: Path, names: Sequence[str], now: float) -> None:
        self.folder = folder
        self._signing, self._names = open_issuing(folder, now), names
        self.server = self._server(names, now)
        self._mint = ed25519_key(folder / "mint.key")

    @classmethod
    def open(cls, state_dir: Path, names: Sequence[str], now: float) -> Self:
        """Open the authority below `state_dir`, and make what is missing.

        Raises:
            SettingsError: something in the folder is not what it should be, or cannot be read.
        """
        folder = state_dir / "authority"
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            authority = cls(folder, names, now)
            if not authority.lists_revocations():
                authority.revoke((), now)
        except OSError as error:
            raise SettingsError(str(folder), f"cannot be used: {error.strerror}") from None
        return authority

    @property
    def root_path(self) -> Path:
        """The file that holds the root's certificate."""
        return self.folder / "ca.pem"

    @property
    def root_pem(self) -> str:
        """The root's certificate."""
        return self._signing.root.public_bytes(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """What a claim pins: SHA-256 of the root's certificate in DER, in hex."""
        return fingerprint(self._signing.root)

    @property
    def root_key(self) -> Path | None:
        """The file of the root's key, if it is here and could be kept elsewhere."""
        return root_key(self.folder)

    @property
    def mint_signer(self) -> MintKey:
        """What signs the answers to devices."""
        raw = self._mint.public_key().public_bytes_raw()
        return MintKey(f"mint-{hashlib.sha256(raw).hexdigest()[:8]}", self._mint)

    @property
    def mint_pem(self) -> str:
        """The key by which devices verify them."""
        return public_pem(self._mint.public_key())

    @property
    def revocations(self) -> Path:
        """The file that holds the list of revoked certificates."""
        return self.folder / "crl.pem"

    def issue_device(self, key: ec.EllipticCurvePublicKey, device: str, now: float, days: float) -> x509.Certificate:
        """Return a client certificate for a device's public key."""
        return self._issuer.issue(key, device, CLIENT, [device_name(device)], now, days)

    def chained(self, certificate: x509.Certificate) -> bytes:
        """Return a certificate of ours in PEM, with what those need who trust the root only: how it is to be shown."""
        return self._signing.chained(certificate)

    @property
    def _issuer(self) -> Issuer:
        return self._signing.issuer

    def revoke(self, revoked: Iterable[tuple[int, float]], now: float) -> None:
        """Write the whole list of revoked serial numbers, each with the Unix time of its revocation; operators' come to it.

        Raises:
            SettingsError: it cannot be written.
        """
        everybody = [*revoked, *self._revoked_operators()]
        data = self._issuer.revocations(everybody, now).public_bytes(Encoding.PEM)
        try:
            write_durably(self.revocations, data, 0o644)
        except OSError as error:
            raise SettingsError(str(self.revocations), f"cannot be written: {error.strerror}") from None

    def renew(self, now: float) -> bool:
        """Make anew what of the cloud's own certificates ends soon, for the same keys; True when there was any.

        What another process has made of the issuing certificate meanwhile is taken up.

        Raises:
            SettingsError: something in the folder is not what it should be.
        """
        self._signing = open_issuing(self.folder, now)
        clients = [*(self.folder / "services").glob("*.pem"), *(self.folder / "operators").glob("*.pem")]
        ending = [path for path in (self.server.certificate, *clients) if self._ending(read_certificate(path), now)]
        self._server(self._names, now)
        for name in self.services:
            self.service(name, now)
        for name in self.operators:
            self.operator(name, now)
        return bool(ending)

    def lists_revocations(self) -> bool:
        """Tell whether the list is there, and signed by who signs certificates now.

        Raises:
            SettingsError: it cannot be read.
        """
        return self.revocations.exists() and self._issuer.has_signed(self._listed())

    def revoked_serials(self) -> set[int]:
        """Return the serial numbers on the list as it is written.

        Raises:
            SettingsError: it cannot be read.
        """
        return {entry.serial_number for entry in self._listed()}

    def _listed(self) -> x509.CertificateRevocationList:
        try:
            return x509.load_pem_x509_crl(self.revocations.read_bytes())
        except (OSError, ValueError) as error:
            raise SettingsError(str(self.revocations), f"cannot be read: {error}") from None

    def service(self, name: str, now: float) -> IdentityFiles:
        """Return the MQTT identity of one of the cloud's own services."""
        return self._client(self.folder / "services" / name, name, now)

    @property
    def services(self) -> list[str]:
        """MQTT names of the cloud's own services."""
        return sorted(path.stem for path in (self.folder / "services").glob("*.pem"))

    def operator(self, name: str, now: float) -> tuple[IdentityFiles, KeySigner]:
        """Return an operator's MQTT identity and what signs their commands; made now if they are new.

        Raises:
            SettingsError: not a name an operator can have.
        """
        _check_operator(name)
        files = self._client(self.folder / "operators" / name, f"operator-{name}", now)
        return files, KeySigner(f"operator-{name}", ed25519_key(_signing_key(self.folder, name)))

    def operator_key(self, name: str) -> PublicKey:
        """Return the key by which an operator's commands are verified; made now if they are new.

        Raises:
            SettingsError: not a name an operator can have.
        """
        _check_operator(name)
        return ed25519_key(_signing_key(self.folder, name)).public_key()

    def mandate_path(self, name: str) -> Path:
        """Return where an operator's mandate is kept."""
        return self.folder / "operators" / f"{name}.mandate"

    def mandate(self, name: str) -> bytes:
        """Return the sealed mandate of an operator; nothing for one whose key robots have pinned.

        Raises:
            SettingsError: it cannot be read.
        """
        try:
            return self.mandate_path(name).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise SettingsError(str(self.mandate_path(name)), f"cannot be read: {error.strerror}") from None

    def remove_operator(self, name: str) -> None:
        """Put an operator's certificate among the revoked, and delete key and mandate, in this order.

        The next list of revocations holds it.
        """
        certificate = self.folder / "operators" / f"{name}.pem"
        serial = x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number
        write_durably(self._revoked_folder / f"{serial:x}.pem", certificate.read_bytes(), 0o644)
        secret = (certificate.with_suffix(".key"), _signing_key(self.folder, name))
        for path in (certificate, *secret, self.mandate_path(name)):
            path.unlink(missing_ok=True)

    @property
    def revoked_operators(self) -> dict[int, str]:
        """Serial number and MQTT name of every certificate of operators who were revoked."""
        loaded = (x509.load_pem_x509_certificate(path.read_bytes()) for path in self._revoked_folder.glob("*.pem"))
        return {found.serial_number: found.subject.rfc4514_string().removeprefix("CN=") for found in loaded}

    @property
    def _revoked_folder(self) -> Path:
        return self.folder / "operators" / "revoked"

    def _revoked_operators(self) -> list[tuple[int, float]]:
        return [(int(path.stem, 16), path.stat().st_mtime) for path in self._revoked_folder.glob("*.pem")]

    @property
    def operators(self) -> list[str]:
        """The operators there are."""
        return sorted(path.stem for path in (self.folder / "operators").glob("*.pem"))

    def operator_keys(self) -> dict[str, str]:
        """Key id and PEM of the key of each operator without a mandate, as an enrolment carries them."""
        return {
            f"operator-{name}": public_pem(ed25519_key(_signing_key(self.folder, name)).public_key())
            for name in self.operators
            if not self.mandate_path(name).exists()
        }

    def server_context(self) -> ssl.SSLContext:
        """Return what the enrolment server listens with: no client certificate, for its clients have none yet."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.server.certificate, self.server.key)
        return context

    def client_context(self, identity: IdentityFiles) -> ssl.SSLContext:
        """Return what one of our own identities connects to the broker with."""
        context = ssl.create_default_context(cafile=str(self.root_path))
        context.load_cert_chain(identity.certificate, identity.key)
        return context

    def impersonate(self, device: str, folder: Path, now: float) -> IdentityFiles:
        """Return, kept in `folder`, an identity that takes a device's place at the broker: the old connection falls.

        It is good for an hour, and its key is not the device's: it can sign nothing that counts.
        """
        files = IdentityFiles(folder / f"{device}.pem", folder / f"{device}.key")
        certificate = self.issue_device(p256_key(files.key).public_key(), device, now, 1 / 24)
        write_durably(files.certificate, self.chained(certificate))
        return files

    def _client(self, path: Path, name: str, now: float) -> IdentityFiles:
        files = IdentityFiles(path.with_suffix(".pem"), path.with_suffix(".key"))
        key = p256_key(files.key)

        def issue() -> x509.Certificate:
            return self._issuer.issue(key.public_key(), name, CLIENT, [], now, LEAF_DAYS)

        if not files.certificate.exists() or self._ending(read_certificate(files.certificate), now):
            write_durably(files.certificate, self.chained(issue()), 0o644)
        return files

    def _server(self, names: Sequence[str], now: float) -> IdentityFiles:
        files = IdentityFiles(self.folder / "server.pem", self.folder / "server.key")
        key = p256_key(files.key)
        san = [host_name(name) for name in names]

        def issue() -> x509.Certificate:
            return self._issuer.issue(key.public_key(), "Kaiwa cloud", SERVER, san, now, LEAF_DAYS)

        if not files.certificate.exists() or not self._still_good(read_certificate(files.certificate), san, now):
            write_durably(files.certificate, self.chained(issue()), 0o644)
        return files

    def _still_good(self, present: x509.Certificate, san: list[x509.GeneralName], now: float) -> bool:
        held = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return list(held) == san and not self._ending(present, now)

    def _ending(self, certificate: x509.Certificate, now: float) -> bool:
        """Tell whether it is time for another: this one ends soon, or who has signed it signs no more."""
        left = certificate.not_valid_after_utc.timestamp() - now
        return left < RENEWED_BEFORE or not issued_by(certificate, self._issuer.certificate)


def _check_operator(name: str) -> None:
    if not _OPERATOR.fullmatch(name):
        raise SettingsError(name, "an operator's name is 1 to 31 of a-z, 0-9 and -, and begins with no -")


def _signing_key(folder: Path, operator: str) -> Path:
    return folder / "operators" / f"{operator}.signing.key"
