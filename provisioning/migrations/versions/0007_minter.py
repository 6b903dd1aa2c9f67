"""Which minter serves the request for a session, so that another can when it is killed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add it; nobody takes a session over that was granted before."""
    op.add_column("sessions", sa.Column("minter", sa.String(8), nullable=False, server_default=""))
