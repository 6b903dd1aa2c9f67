"""What the minter and the leash look for again and again is found by an index, however long the fleet has been there."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the indexes; on a large store that takes some seconds, once."""
    op.create_index("ix_devices_revoked_at", "devices", ["revoked_at"])
    op.create_index("ix_nonces_device_at", "nonces", ["device", "at"])
    op.create_index("ix_sessions_channel_id", "sessions", ["channel_id"])
    live = sa.text("ended_at IS NULL")
    op.create_index("ix_sessions_live", "sessions", ["device"], sqlite_where=live, postgresql_where=live)
    op.drop_index("ix_sessions_ended_at", "sessions")  # it had all that are over in it, and was taken for one device's
    op.create_index(
        "ix_sessions_unreleased",
        "sessions",
        ["ended_at"],
        sqlite_where=sa.text("channel_open = 1"),
        postgresql_where=sa.text("channel_open"),
    )
