"""Which minter serves a request, so that another can when it is killed: also one with which a session goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add it; nobody takes a request over that came before."""
    op.add_column("nonces", sa.Column("minter", sa.String(8), nullable=False, server_default=""))
