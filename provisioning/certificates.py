"""PURE. X.509 as Kaiwa uses it (RFC 5280): a root, an issuing authority below it, its leaves and its revocation list.

ECDSA P-256 throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_DAYS: Final = 3650
"""Life of the root, and of a revocation list: OpenSSL refuses everybody once a list is out of date."""

ISSUING_DAYS: Final = 1826
"""Life of the issuing authority: five years, so that the root's key is needed once in three or four."""

BACKDATED: Final = timedelta(minutes=5)
"""How far behind ours the clock of who verifies may be."""

CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH


class Issuer:
    """A certificate authority in memory: its key and its own certificate."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    def issue(
        self,
        key: ec.EllipticCurvePublicKey,
        name: str,
        usage: x509.ObjectIdentifier,
        san: Sequence[x509.GeneralName],
        now: float,
        days: float,
    ) -> x509.Certificate:
        """Return a leaf for `key` with common name `name`, good for `days` from `now` (Unix seconds)."""
        builder = (
            _builder(name, key, now, days)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(leaf=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(self._identifier(), critical=False)
        )
        if san:
            builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
        return builder.sign(self._key, SHA256())

    def subordinate(self, key: ec.EllipticCurvePublicKey, now: float) -> x509.Certificate:
        """Return the certificate of an authority below this one: it may sign leaves and a list, and no authority."""
        builder = _builder("Kaiwa fleet issuing authority", key, now, ISSUING_DAYS).issuer_name(
            self.certificate.subject
        )
        return _authority(builder, below=0).add_extension(self._identifier(), critical=False).sign(self._key, SHA256())

    def revocations(self, revoked: Iterable[tuple[int, float]], now: float) -> x509.CertificateRevocationList:
        """Return the list of revoked serial numbers, each with the Unix time of its revocation."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(_time(now) - BACKDATED)
            .next_update(_time(now) + timedelta(days=ROOT_DAYS))
            .add_extension(self._identifier(), critical=False)
            .add_extension(x509.CRLNumber(int(now * 1000)), critical=False)
        )
        for serial, at in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_time(at)).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, SHA256())

    def has_signed(self, listed: x509.CertificateRevocationList) -> bool:
        """Tell whether a list of revocations is ours."""
        return listed.is_signature_valid(self._key.public_key())

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        subject = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject.value)


def root(key: ec.EllipticCurvePrivateKey, now: float) -> x509.Certificate:
    """Return a self-signed root that may sign authorities, whose leaves these sign."""
    builder = _builder("Kaiwa fleet authority", key.public_key(), now, ROOT_DAYS)
    builder = builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kaiwa fleet authority")]))
    return _authority(builder, below=1).sign(key, SHA256())


def signs_leaves_only(authority: x509.Certificate) -> bool:
    """Tell whether there can be no authority below this one."""
    return authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Tell whether an authority's very key has signed a certificate; another may have the same name."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def device_name(device: str) -> x509.GeneralName:
    """Return the identity of a device as a SPIFFE id (spiffe.io, SPIFFE-ID 2)."""
    return x509.UniformResourceIdentifier(f"spiffe://kaiwa/device/{device}")


def host_name(name: str) -> x509.GeneralName:
    """Return a host's name or address as a certificate holds it."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in DER, 64 hex digits: what a claim pins."""
    return certificate.fingerprint(SHA256()).hex()


def _builder(name: str, key: ec.EllipticCurvePublicKey, now: float, days: float) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(now) - BACKDATED)
        .not_valid_after(_time(now) + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority(builder: x509.CertificateBuilder, *, below: int) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=below)
    return builder.add_extension(constraints, critical=True).add_extension(_key_usage(leaf=False), critical=True)


def _key_usage(*, leaf: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=leaf,
        key_cert_sign=not leaf,
        crl_sign=not leaf,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
