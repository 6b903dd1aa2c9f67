from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from device.errors import SettingsError
from provisioning.keyfiles import ed25519_key, p256_key, private_pem, write_durably


def test_keys_are_made_once_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.key"
    first = p256_key(path)
    assert private_pem(p256_key(path)) == private_pem(first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    signing = tmp_path / "b.key"
    assert private_pem(ed25519_key(signing)) == private_pem(ed25519_key(signing))


def test_a_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("nonsense")
    with pytest.raises(SettingsError, match=r"a\.key: not a private key"):
        p256_key(path)
    path.write_bytes(private_pem(p256_key(tmp_path / "b.key")))
    with pytest.raises(SettingsError, match="not an Ed25519 key"):
        ed25519_key(path)
    old = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(old.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(SettingsError, match="not a P-256 key"):
        p256_key(path)


def test_a_write_that_fails_leaves_the_old_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_durably(path, b"old")
    (tmp_path / f".x.{os.getpid()}").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    write_durably(tmp_path / "operators" / "revoked" / "x.pem", b"x")
    written = [tmp_path / "operators" / "revoked" / "x.pem", *(tmp_path.glob("**/"))]
    assert {path.stat().st_uid for path in written} == {65534}
