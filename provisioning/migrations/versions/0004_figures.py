"""Figures: what devices tell of sessions that are over."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "session_figures",
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("listening", sa.Integer),
        sa.Column("on_air", sa.Integer),
        sa.Column("tools", sa.Integer, nullable=False),
        sa.Column("recorded", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name="fk_session_figures_session_sessions"),
        sa.PrimaryKeyConstraint("session", name="pk_session_figures"),
    )
    op.create_table(
        "turns",
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("network", sa.Integer),
        sa.Column("model", sa.Integer),
        sa.Column("device", sa.Integer),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name="fk_turns_session_sessions"),
        sa.PrimaryKeyConstraint("session", "number", name="pk_turns"),
    )
