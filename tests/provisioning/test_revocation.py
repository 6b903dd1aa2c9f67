"""Revoking when something goes wrong on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from device.errors import SettingsError
from provisioning.authority import Authority
from provisioning.registry import Certificate
from provisioning.revocation import revoke
from provisioning.store import Store

NOW = 1_800_000_000.0


def listed(authority: Authority) -> list[int]:
    found = x509.load_pem_x509_crl(authority.revocations.read_bytes())
    return [entry.serial_number for entry in found]


async def test_a_list_that_could_not_be_written_is_written_the_next_time(tmp_path: Path, store_url: str) -> None:
    authority = Authority.open(tmp_path, ("localhost",), NOW)
    async with Store(store_url) as store:
        async with store.transaction() as t:
            await t.devices.enrol("", Certificate("4d", "robot-1", "key", NOW, NOW + 60))
        authority.revocations.unlink()
        (authority.revocations / "in the way").mkdir(parents=True)
        with pytest.raises(SettingsError, match="cannot be written"):
            await revoke(store, authority, "robot-1", NOW, "admin")
        (authority.revocations / "in the way").rmdir()
        authority.revocations.rmdir()
        assert not await revoke(store, authority, "robot-1", NOW, "admin")
    assert listed(authority) == [0x4D]


def test_a_lost_key_of_the_authority_is_not_made_anew(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path, ("localhost",), NOW)
    keys = [authority.folder / name for name in ("ca.key", "issuing.key")]
    for key in keys:
        key.unlink()
    with pytest.raises(SettingsError, match="bring it back"):
        Authority.open(tmp_path, ("localhost",), NOW)
    assert not any(key.exists() for key in keys)
