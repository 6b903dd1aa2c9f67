"""The issuing key and its certificate, with the root's key in the cloud and elsewhere."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from device.chain import is_below
from device.errors import SettingsError
from provisioning.authority import MINTER, Authority
from provisioning.certificates import ISSUING_DAYS
from provisioning.issuing import RENEWED_BEFORE, read_certificate
from provisioning.keyfiles import p256_key

NOW = 1_800_000_000.0
DAY = 86_400.0
ENDING = NOW + ISSUING_DAYS * DAY - RENEWED_BEFORE


def opened(folder: Path, now: float = NOW, name: str = "127.0.0.1") -> Authority:
    return Authority.open(folder, (name,), now)


def certified(authority: Authority, now: float = NOW) -> str:
    """Return the chain that a new robot gets."""
    key = ec.generate_private_key(ec.SECP256R1())
    return authority.chained(authority.issue_device(key.public_key(), "robot-1", now, 60)).decode()


def taken_away(folder: Path) -> bytes:
    """Keep the root's key elsewhere."""
    path = folder / "authority" / "ca.key"
    key = path.read_bytes()
    path.unlink()
    return key


def test_without_the_root_s_key_everything_goes_on(tmp_path: Path) -> None:
    before = opened(tmp_path)
    assert before.root_key == tmp_path / "authority" / "ca.key"
    taken_away(tmp_path)
    after = opened(tmp_path, NOW + 1, "cloud.example.com")
    assert after.root_key is None
    assert after.fingerprint == before.fingerprint
    after.service(MINTER, NOW)
    after.operator("anna", NOW)
    after.revoke([(7, NOW)], NOW)
    assert after.renew(NOW + 380 * DAY)
    assert is_below(certified(after), before.root_pem)
    for name in ("server", "services/minter", "operators/anna"):
        assert is_below((tmp_path / "authority" / f"{name}.pem").read_text(), before.root_pem)
    assert not (tmp_path / "authority" / "ca.key").exists(), "none was made in its place"


def test_the_keys_of_root_issuing_and_minter_are_three(tmp_path: Path) -> None:
    opened(tmp_path)
    folder = tmp_path / "authority"
    assert len({(folder / f"{name}.key").read_bytes() for name in ("ca", "issuing", "mint")}) == 3


def test_the_issuing_certificate_is_renewed_for_its_key(tmp_path: Path) -> None:
    early = certified(opened(tmp_path))
    path = tmp_path / "authority" / "issuing.pem"
    first = read_certificate(path)
    opened(tmp_path, ENDING - 1)
    assert read_certificate(path) == first
    renewed = opened(tmp_path, ENDING + 1)
    second = read_certificate(path)
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert second.public_key() == first.public_key()
    leaf = x509.load_pem_x509_certificate(early.encode())
    assert is_below(renewed.chained(leaf).decode(), renewed.root_pem), "who was certified before is so still"


def test_a_running_service_takes_up_what_was_renewed(tmp_path: Path) -> None:
    running = opened(tmp_path)
    opened(tmp_path, ENDING + 1)
    running.renew(ENDING + 2)
    assert certified(running, ENDING + 2).count("BEGIN") == 2
    assert (tmp_path / "authority" / "issuing.pem").read_text() in certified(running, ENDING + 2)


def test_without_the_root_s_key_the_end_is_told_of_in_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    opened(tmp_path)
    key = taken_away(tmp_path)
    opened(tmp_path, ENDING - 1)
    assert caplog.text == ""
    opened(tmp_path, ENDING + 1)
    assert "bring ca.key back for a moment and run `kaiwa-cloud init`" in caplog.text
    (tmp_path / "authority" / "ca.key").write_bytes(key)
    caplog.clear()
    opened(tmp_path, ENDING + 1)
    assert caplog.text == ""


@pytest.mark.parametrize("lost", ["issuing.key", "issuing.pem"])
def test_what_only_the_root_can_mend_is_named(tmp_path: Path, lost: str) -> None:
    before = opened(tmp_path)
    key = taken_away(tmp_path)
    (tmp_path / "authority" / lost).unlink()
    with pytest.raises(SettingsError, match=r"ca\.key: it is missing.*bring it back"):
        opened(tmp_path)
    (tmp_path / "authority" / "ca.key").write_bytes(key)
    assert is_below(certified(opened(tmp_path)), before.root_pem)


def test_another_key_than_the_root_s_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "a")
    opened(tmp_path / "b")
    (tmp_path / "a/authority/ca.key").write_bytes((tmp_path / "b/authority/ca.key").read_bytes())
    with pytest.raises(SettingsError, match=r"ca\.key is not the key of ca\.pem"):
        opened(tmp_path / "a")


def test_with_a_new_issuing_key_the_old_one_counts_for_nothing(tmp_path: Path) -> None:
    before = opened(tmp_path)
    before.service(MINTER, NOW)
    before.revoke([(7, NOW)], NOW)
    folder = tmp_path / "authority"
    old = {name: (folder / name).read_bytes() for name in ("server.pem", "services/minter.pem", "crl.pem")}
    for name in ("issuing.key", "issuing.pem"):
        (folder / name).unlink()
    after = opened(tmp_path)
    after.renew(NOW)
    assert after.fingerprint == before.fingerprint
    for name, data in old.items():
        assert (folder / name).read_bytes() != data, name
    assert after.lists_revocations()
    assert after.revoked_serials() == set()


def test_a_fleet_of_an_earlier_version_goes_on_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    folder.mkdir()
    key = p256_key(folder / "ca.key")
    (folder / "ca.pem").write_bytes(_early_root(key).public_bytes(Encoding.PEM))
    authority = opened(tmp_path)
    assert authority.root_key is None, "it is needed where it is"
    assert certified(authority).count("BEGIN") == 1
    assert is_below(certified(authority), authority.root_pem)
    assert not (folder / "issuing.key").exists()
    taken_away(tmp_path)
    with pytest.raises(SettingsError, match="an earlier version"):
        opened(tmp_path)


def _early_root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return a root as earlier versions made it: one that may have no authority below it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kaiwa fleet authority")])
    template = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    begins = datetime.fromtimestamp(NOW, UTC)
    return (
        template.serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
