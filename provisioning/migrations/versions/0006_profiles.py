"""Profiles: their versions, whom they are for, and which a session was granted with."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add them; a session that was granted before had the profile of the settings."""
    op.add_column("sessions", sa.Column("profile", sa.String(40), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("profile_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("sessions", sa.Column("model", sa.String(80), nullable=False, server_default=""))
    op.create_table(
        "profiles",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("texts", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("operator", sa.String(80), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name="pk_profiles"),
    )
    op.create_table(
        "profile_texts",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_profile_texts"),
    )
    op.create_table(
        "assignments",
        sa.Column("target", sa.String(50), nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer),
        sa.PrimaryKeyConstraint("target", name="pk_assignments"),
    )
