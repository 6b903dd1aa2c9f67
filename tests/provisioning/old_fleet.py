"""A fleet that has been there for long, in a store of either kind: entered by the database itself, in a moment."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from provisioning.store import Store

OTHERS: Final = 8_000
"""Devices, and rows of the audit."""

SPEAKING: Final = 800
"""Sessions of other devices that go on."""

BEFORE: Final = 1_000
"""Sessions that one device has had, and requests that it has made in the last hour."""

_COUNT: Final = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "

_FLEET: Final = (
    (
        OTHERS,
        (
            "INSERT INTO devices (id, status, hardware, enrolled_at, active_at, revoked_at, group_name) "
            "SELECT 'other-' || i, CASE WHEN i % 10 = 0 THEN 'REVOKED' ELSE 'ACTIVE' END, '', :now - 9e6, :now - 9e6, "
            "CASE WHEN i % 10 = 0 THEN :now - 1e6 END, '' FROM n"
        ),
    ),
    (
        OTHERS,
        (
            "INSERT INTO certificates (serial, device, public_key, issued_at, expires_at, used_at) "
            "SELECT 'serial ' || i, 'other-' || i, 'key ' || i, :now - 9e6, :now + 9e6, :now - 9e6 FROM n"
        ),
    ),
    (
        OTHERS,
        (
            "INSERT INTO audit (seq, at, actor, action, subject, detail, previous, hash) "
            "SELECT i, :now - 9e6, 'a', 'mint', 's', '{}', 'hash ' || (i - 1), 'hash ' || i FROM n"
        ),
    ),
    (
        OTHERS,
        "INSERT INTO spending (account, period, settled, reserved) SELECT 'device:other-' || i, '2026-11', 1, 0 FROM n",
    ),
    (
        OTHERS,
        (
            "INSERT INTO sessions (id, device, reason, created_at, deadline, channel_id, channel_open, ended_at, minter) "
            "SELECT 'past ' || i, 'other-' || i, 'button', :now - 9e6, :now - 8e6, 'channel ' || i, false, :now - 8e6, '' "
            "FROM n"
        ),
    ),
    (
        SPEAKING,
        (
            "INSERT INTO sessions (id, device, reason, created_at, deadline, channel_id, channel_open, minter) "
            "SELECT 'live ' || i, 'other-' || i, 'button', :now - 9, :now + 600, 'open ' || i, true, '' FROM n"
        ),
    ),
    (
        OTHERS,
        "INSERT INTO session_figures (session, seconds, tools, recorded) SELECT 'past ' || i, 9, 0, false FROM n",
    ),
    (
        OTHERS // 2,
        "INSERT INTO nonces (device, nonce, at, minter) SELECT 'other-' || i, 'n', :now - i % 3600, '' FROM n",
    ),
)

_ONE: Final = (
    (
        BEFORE,
        (
            "INSERT INTO sessions (id, device, reason, created_at, deadline, channel_open, ended_at, minter) "
            "SELECT 'mine ' || i, :device, 'button', :now - 9e6 + i, :now - 8e6, false, :now - 8e6, '' FROM n"
        ),
    ),
    (
        BEFORE,
        "INSERT INTO nonces (device, nonce, at, minter) SELECT :device, 'mine ' || i, :now - 61 - i % 3500, '' FROM n",
    ),
)


async def settle(store: Store, device: str, now: float) -> None:
    """Enter it around one device, which is there already and has been for as long."""
    assert store._database is not None
    async with store._database.transaction() as connection:
        for rows, statement in (*_FLEET, *_ONE):
            values = {"now": now, "device": device}
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(_COUNT.format(rows=rows) + statement), named)
        if connection.dialect.name == "postgresql":  # it does so itself where it runs for long; SQLite never does
            await connection.execute(text("ANALYZE"))
