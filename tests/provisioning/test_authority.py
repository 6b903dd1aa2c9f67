from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from device.errors import SettingsError
from device.messages.envelope import COMMAND, load_public_pem, open_envelope, seal_envelope
from provisioning.authority import LEAF_DAYS, MINTER, RENEWED_BEFORE, Authority, IdentityFiles

NOW = 1_800_000_000.0


def opened(tmp_path: Path, now: float = NOW, *names: str) -> Authority:
    return Authority.open(tmp_path, names or ("127.0.0.1",), now)


def loaded(files: IdentityFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def test_the_same_authority_is_there_at_the_next_start(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path, NOW + 100)
    assert first.fingerprint == second.fingerprint
    assert first.root_pem == second.root_pem
    assert first.mint_signer.kid == second.mint_signer.kid
    assert first.mint_pem == second.mint_pem
    assert loaded(first.server) == loaded(second.server)


def test_no_key_can_be_read_by_others(tmp_path: Path) -> None:
    authority = opened(tmp_path / "new" / "state")
    authority.service(MINTER, NOW)
    authority.operator("a", NOW)
    assert stat.S_IMODE((tmp_path / "new" / "state").stat().st_mode) == 0o700
    keys = list(tmp_path.rglob("*.key"))
    assert len(keys) == 7
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_the_server_certificate_is_made_anew_for_other_names_and_before_it_ends(tmp_path: Path) -> None:
    first = loaded(opened(tmp_path).server)
    assert loaded(opened(tmp_path, NOW, "127.0.0.1", "cloud").server) != first
    almost = NOW + LEAF_DAYS * 86_400 - RENEWED_BEFORE
    second = loaded(opened(tmp_path, almost - 1, "127.0.0.1", "cloud").server)
    assert loaded(opened(tmp_path, almost + 1, "127.0.0.1", "cloud").server) != second


def test_services_and_operators_are_made_once_and_known(tmp_path: Path) -> None:
    authority = opened(tmp_path)
    files = authority.service(MINTER, NOW)
    assert loaded(files).subject.rfc4514_string() == "CN=minter"
    assert loaded(authority.service(MINTER, NOW + 1)) == loaded(files)
    operator, signer = authority.operator("anna", NOW)
    assert loaded(operator).subject.rfc4514_string() == "CN=operator-anna"
    assert (authority.services, authority.operators) == (["minter"], ["anna"])
    keys = authority.operator_keys()
    envelope = seal_envelope(COMMAND, {"x": 1}, signer)
    assert open_envelope(COMMAND, envelope, lambda kid: load_public_pem(keys[kid])) == b'{"x":1}'


@pytest.mark.parametrize("name", ["", "Anna", "a/b", "../a", "-a", "a" * 32])
def test_names_that_operators_cannot_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="operator"):
        opened(tmp_path).operator(name, NOW)


def test_a_damaged_certificate_is_named(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "authority" / "ca.pem").write_text("nonsense")
    with pytest.raises(SettingsError, match=r"ca\.pem: not a certificate"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "authority").write_text("a file")
    with pytest.raises(SettingsError, match="cannot be used"):
        opened(tmp_path)


def test_revocations_are_a_list_from_the_start(tmp_path: Path) -> None:
    authority = opened(tmp_path)
    assert list(x509.load_pem_x509_crl(authority.revocations.read_bytes())) == []
    authority.revoke([(77, NOW)], NOW)
    listed = x509.load_pem_x509_crl(opened(tmp_path).revocations.read_bytes())
    assert [entry.serial_number for entry in listed] == [77]


def test_who_takes_a_device_s_place_has_another_key(tmp_path: Path) -> None:
    authority = opened(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    real = authority.issue_device(key.public_key(), "robot-1", NOW, 30)
    thief = loaded(authority.impersonate("robot-1", tmp_path / "t", NOW))
    assert thief.subject == real.subject
    assert thief.public_key() != real.public_key()
    assert thief.not_valid_after_utc.timestamp() == NOW + 3600
