"""A fleet in a store, entered in bulk: devices with certificates, and a history."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Table, insert

from device.messages.envelope import public_pem
from provisioning.audit import FIRST, digest
from provisioning.authority import Authority
from provisioning.codes import hash_code, new_code
from provisioning.store import Store
from provisioning.tables import certificates, devices
from tests.provisioning.minting_bench import Robot

DAYS = 60 * 86_400.0


@dataclass(frozen=True)
class Sizes:
    """How many robots can ask, how many devices and rows of the audit there are in all, and what went before."""

    robots: int
    devices: int
    audit: int
    past: int = 0
    """Sessions that each of these robots has had before."""


async def filled(store_url: str, authority: Authority, sizes: Sizes) -> list[Robot]:
    """Make the store and fill it; return the robots that hold their keys."""
    signer = authority.mint_signer
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(sizes.robots)]
    robots = [Robot(f"robot-{n}", key, signer.kid, authority.mint_pem) for n, key in enumerate(keys)]
    async with Store(store_url) as store:
        assert store._database is not None
        async with store._database.transaction() as connection:
            for table, rows in _devices(robots, sizes.devices).items():
                if rows:
                    await connection.execute(insert(table), rows)
    if sizes.audit or sizes.past:  # in a thread, for a connection to another place's broker may be open already
        await asyncio.to_thread(_remember, store_url.partition("///")[2], robots, sizes)
    return robots


def _remember(store: str, robots: list[Robot], sizes: Sizes) -> None:
    """Enter what went before."""
    with closing(sqlite3.connect(store)) as file, file:
        file.executemany(
            "INSERT INTO audit (seq, at, actor, action, subject, detail, previous, hash) VALUES (?,?,?,?,?,?,?,?)",
            _history(sizes.audit, time.time()),
        )
        file.executemany(_PAST, _past(robots, sizes.past, time.time() - 86_400))


def _devices(robots: list[Robot], count: int) -> dict[Table, list[dict[str, object]]]:
    """Return the rows of `count` devices, of which these robots can ask."""
    now = time.time()
    pems = [(robot.name, public_pem(robot.key.public_key())) for robot in robots]
    pems += [(f"other-{n}", f"another key {n:0160d}") for n in range(count - len(robots))]
    device = {"status": "ACTIVE", "hardware": "", "enrolled_at": now, "active_at": now}
    certificate = {"issued_at": now, "expires_at": now + DAYS, "used_at": now}
    return {
        devices: [device | {"id": name} for name, _ in pems],
        certificates: [
            certificate | {"serial": secrets.token_hex(16), "device": name, "public_key": pem} for name, pem in pems
        ],
    }


def _history(rows: int, now: float) -> Iterator[tuple[int, float, str, str, str, str, str, str]]:
    """Yield rows of an audit whose chain holds."""
    previous = FIRST
    for seq in range(1, rows + 1):
        values = (seq, now, f"other-{seq % 1000}", "mint", f"{seq:032x}", '{"allowed":true}', previous)
        previous = digest(*values)
        yield (*values, previous)


_PAST = (
    "INSERT INTO sessions (id, device, reason, created_at, deadline, channel_id, channel_open, ended_at, minter) "
    "VALUES (?, ?, 'button', ?, ?, ?, false, ?, '')"
)


def _past(robots: list[Robot], each: int, until: float) -> Iterator[tuple[str, str, float, float, str, float]]:
    """Yield rows of sessions that are over, and whose channels are deleted."""
    for robot in robots:
        for number in range(each):
            at = until - 3600 * number
            yield secrets.token_hex(16), robot.name, at, at + 600, secrets.token_hex(12), at + 300


def add_claims(store: Path, count: int) -> list[str]:
    """Enter as many claims, and return their codes."""
    codes, now = [new_code() for _ in range(count)], time.time()
    with closing(sqlite3.connect(store, timeout=30)) as database, database:
        database.executemany(
            "INSERT INTO claims (code_hash, created_at, expires_at, attempts) VALUES (?, ?, ?, 0)",
            ((hash_code(code), now, now + 3600) for code in codes),
        )
    return codes


def end_sessions(store: Path) -> None:
    """End every session, so that each robot may ask again."""
    with closing(sqlite3.connect(store, timeout=30)) as database, database:
        database.execute("UPDATE sessions SET ended_at = created_at WHERE ended_at IS NULL")
