"""Certificates that renew, and alarms about identities that are used twice."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; every certificate there is counts as used since it was issued."""
    op.add_column("certificates", sa.Column("used_at", sa.Float))
    op.add_column("certificates", sa.Column("successor", sa.String(40)))
    op.add_column("certificates", sa.Column("pem", sa.Text))
    op.add_column("devices", sa.Column("alarmed_at", sa.Float))
    op.add_column("devices", sa.Column("alarm", sa.String(80)))
    op.execute(sa.text("UPDATE certificates SET used_at = issued_at"))
