"""PURE. The tables of the store, for SQLite and PostgreSQL alike; every time in them is in Unix seconds.

`migrations/` brings a store to this shape; a test holds the two equal.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

devices: Final = Table(
    "devices",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("status", String(8), nullable=False),
    Column("hardware", String(64), nullable=False),
    Column("enrolled_at", Float, nullable=False),
    Column("active_at", Float),
    Column("revoked_at", Float),
    Column("alarmed_at", Float),
    Column("alarm", String(80)),
    Column("group_name", String(40), nullable=False, server_default=""),
    Index(None, "revoked_at"),
)
"""The boards that have an identity; `alarm` says why it seems to be used by somebody else, too, and `group_name` is empty
for one in no group."""

certificates: Final = Table(
    "certificates",
    metadata,
    Column("serial", String(40), primary_key=True),
    Column("device", ForeignKey("devices.id"), nullable=False, index=True),
    Column("public_key", Text, nullable=False, unique=True),
    Column("issued_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked_at", Float),
    Column("used_at", Float),
    Column("successor", String(40)),
    Column("pem", Text),
)
"""What was issued to them; `serial` in hex, `public_key` in PEM, and no key twice.

One issued by renewal has its `pem`, to be given again, and no `used_at` until its device has told of its use. Then the
one before is revoked with the serial of its `successor`; one that was taken away has none.
"""

claims: Final = Table(
    "claims",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("device", String(40)),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("used_at", Float),
    Column("group_name", String(40), nullable=False, server_default=""),
)
"""One-time codes, by their SHA-256 only; `device` is the name that the operator chose, if any, or that it was used for."""

nonces: Final = Table(
    "nonces",
    metadata,
    Column("device", ForeignKey("devices.id"), primary_key=True),
    Column("nonce", String(32), primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("minter", String(8), nullable=False, server_default=""),
    Index(None, "device", "at"),
)
"""Requests that were answered; the primary key is what refuses a replay, and `minter` is whoever serves this one."""

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("device", ForeignKey("devices.id"), nullable=False),
    Column("reason", String(80), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("call_id", String(128)),
    Column("channel_id", String(255)),
    Column("channel_open", Boolean, nullable=False),
    Column("ended_at", Float),
    Column("end_reason", String(80)),
    Column("group_name", String(40), nullable=False, server_default=""),
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Column("cost", BigInteger),
    Column("reported", Boolean, nullable=False, server_default=false()),
    Column("profile", String(40), nullable=False, server_default=""),
    Column("profile_version", Integer, nullable=False, server_default="0"),
    Column("model", String(80), nullable=False, server_default=""),
    Column("second_call_id", String(128)),
    Column("renewals", Integer, nullable=False, server_default="0"),
    Column("minter", String(8), nullable=False, server_default=""),
    Index(None, "device", "created_at"),
    Index(None, "channel_id"),
    Index(
        "ix_sessions_live", "device", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")
    ),
    Index(
        "ix_sessions_unreleased",
        "ended_at",
        sqlite_where=text("channel_open = 1"),
        postgresql_where=text("channel_open"),
    ),
)
"""Every session that was granted, and what has to be released when it ends.

What was `reserved` for it, and what it was charged (`cost`, none while it goes on), are in micros; `reported` says
whether its device has told what it used. `group_name` is the group of the device as it was granted, `profile` with its
version what was bound into its secret (none for the profile of the settings), and `model` what it is billed by.
`second_call_id` is the newer of two calls while one takes over from the other, and `renewals` how often a grant was given
to go on with another. `minter` is whoever serves the request for it; another does when that one has ended before it
answered.
"""

session_figures: Final = Table(
    "session_figures",
    metadata,
    Column("session", ForeignKey("sessions.id"), primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("listening", Integer),
    Column("on_air", Integer),
    Column("tools", Integer, nullable=False),
    Column("recorded", Boolean, nullable=False),
)
"""What a device tells of a session that is over, without a word of it; `listening` and `on_air` in ms from the press."""

turns: Final = Table(
    "turns",
    metadata,
    Column("session", ForeignKey("sessions.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("total", Integer, nullable=False),
    Column("network", Integer),
    Column("model", Integer),
    Column("device", Integer),
)
"""How long each answer took from the end of speech to the first sample at the speaker, in ms, and what of it was where."""

profiles: Final = Table(
    "profiles",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("texts", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("operator", String(80), nullable=False),
    Column("why", String(200), nullable=False),
)
"""Every version of every profile, never changed: its TOML, and the texts of its place as JSON, by title and hash."""

profile_texts: Final = Table(
    "profile_texts",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("content", Text, nullable=False),
)
"""What versions of profiles know of their places, each text once, by its SHA-256."""

assignments: Final = Table(
    "assignments",
    metadata,
    Column("target", String(50), primary_key=True),
    Column("profile", String(40), nullable=False),
    Column("version", Integer),
)
"""Which profile is for whom: `device:NAME` or `group:NAME`; without a version, the newest there is."""

spending: Final = Table(
    "spending",
    metadata,
    Column("account", String(50), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("settled", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
)
"""Running totals in micros: what an account spent on a day (`2026-11-26`) or in a month (`2026-11`), UTC."""

halts: Final = Table(
    "halts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("since", Float, nullable=False),
    Column("operator", String(80), nullable=False),
    Column("why", String(200), nullable=False),
    Column("lifted_at", Float),
)
"""Every time the whole fleet was halted; the last row tells whether it is."""

audit: Final = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
)
"""Who did what, each row chained to the one before; `previous` is unique, so that the chain cannot fork."""
