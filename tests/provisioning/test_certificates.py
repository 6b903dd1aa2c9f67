from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from provisioning.certificates import CLIENT, SERVER, Issuer, device_name, fingerprint, host_name, root

NOW = 1_800_000_000.0


def issuer() -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    return Issuer(key, root(key, NOW))


def test_a_device_certificate_says_who_and_for_what() -> None:
    ca = issuer()
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = ca.issue(key.public_key(), "robot-1", CLIENT, [device_name("robot-1")], NOW, 60)
    certificate.verify_directly_issued_by(ca.certificate)
    assert certificate.subject.rfc4514_string() == "CN=robot-1"
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://kaiwa/device/robot-1"]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [CLIENT]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.not_valid_after_utc == datetime.fromtimestamp(NOW + 60 * 86_400, UTC)
    assert certificate.not_valid_before_utc < datetime.fromtimestamp(NOW, UTC)


def test_hosts_are_names_or_addresses() -> None:
    ca = issuer()
    key = ec.generate_private_key(ec.SECP256R1())
    san = [host_name("cloud.example.com"), host_name("10.0.0.2"), host_name("::1")]
    certificate = ca.issue(key.public_key(), "Kaiwa cloud", SERVER, san, NOW, 1)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["cloud.example.com"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("10.0.0.2"), ip_address("::1")]


def test_the_revocation_list_is_signed_and_outlives_the_root() -> None:
    ca = issuer()
    listed = ca.revocations([(5, NOW - 1), (6, NOW)], NOW)
    public = ca.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert listed.is_signature_valid(public)
    assert {entry.serial_number for entry in listed} == {5, 6}
    assert listed.next_update_utc is not None
    assert listed.next_update_utc >= ca.certificate.not_valid_after_utc


def test_fingerprints_are_64_hex_digits_and_differ() -> None:
    first, second = fingerprint(issuer().certificate), fingerprint(issuer().certificate)
    assert len(first) == 64
    assert first != second
