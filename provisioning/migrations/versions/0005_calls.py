"""Sessions that go on with another call: the second of two, and how often that was granted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them; no session that goes on has a second call yet."""
    op.add_column("sessions", sa.Column("second_call_id", sa.String(128)))
    op.add_column("sessions", sa.Column("renewals", sa.Integer, nullable=False, server_default="0"))
