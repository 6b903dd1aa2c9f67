"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    _devices()
    _claims()
    _sessions()
    _audit()


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("hardware", sa.String(64), nullable=False),
        sa.Column("enrolled_at", sa.Float, nullable=False),
        sa.Column("active_at", sa.Float),
        sa.Column("revoked_at", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("device", sa.String(40), nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("issued_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("revoked_at", sa.Float),
        sa.PrimaryKeyConstraint("serial", name="pk_certificates"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_certificates_device"),
        sa.UniqueConstraint("public_key", name="uq_certificates_public_key"),
    )
    op.create_index("ix_certificates_device", "certificates", ["device"])


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("device", sa.String(40)),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("used_at", sa.Float),
        sa.PrimaryKeyConstraint("code_hash", name="pk_claims"),
    )


def _sessions() -> None:
    op.create_table(
        "nonces",
        sa.Column("device", sa.String(40), nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("device", "nonce", name="pk_nonces"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_nonces_device"),
    )
    op.create_index("ix_nonces_at", "nonces", ["at"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("device", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(80), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("deadline", sa.Float, nullable=False),
        sa.Column("call_id", sa.String(128)),
        sa.Column("channel_id", sa.String(255)),
        sa.Column("channel_open", sa.Boolean, nullable=False),
        sa.Column("ended_at", sa.Float),
        sa.Column("end_reason", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_sessions_device"),
    )
    op.create_index("ix_sessions_device_created_at", "sessions", ["device", "created_at"])
    op.create_index("ix_sessions_ended_at", "sessions", ["ended_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("previous", name="uq_audit_previous"),
    )
