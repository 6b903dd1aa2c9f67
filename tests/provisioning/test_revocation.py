"""Revoking when something goes wrong on the way."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from cryptography import x509

from device.errors import SettingsError
from provisioning.authority import Authority
from provisioning.link import BrokerEndpoint
from provisioning.registry import Certificate
from provisioning.revocation import AT_ONCE, end_connections, revoke
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


async def test_connections_are_ended_several_at_a_time(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path, ("127.0.0.1",), time.time())
    here, together, enough = 0, 0, asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let everybody in, and say nothing until there are enough."""
        nonlocal here, together
        here += 1
        together = max(together, here)
        if here == AT_ONCE:
            enough.set()
        await enough.wait()
        here -= 1
        writer.close()

    async with (
        asyncio.timeout(9),
        await asyncio.start_server(silent, "127.0.0.1", 0, ssl=authority.server_context()) as server,
    ):
        where = BrokerEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        await end_connections(authority, where, [f"robot-{number}" for number in range(AT_ONCE + 2)])
    assert together == AT_ONCE
