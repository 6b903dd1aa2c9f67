"""Money: groups of devices, what sessions cost, running totals, and the halt of the whole fleet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them; a session that was granted before costs nothing."""
    for table in ("devices", "claims", "sessions"):
        op.add_column(table, sa.Column("group_name", sa.String(40), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("reserved", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("sessions", sa.Column("cost", sa.BigInteger))
    op.add_column("sessions", sa.Column("reported", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "spending",
        sa.Column("account", sa.String(50), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "period", name="pk_spending"),
    )
    op.create_table(
        "halts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("operator", sa.String(80), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("lifted_at", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_halts"),
    )
