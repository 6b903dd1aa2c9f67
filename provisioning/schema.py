"""The shape of the store: brought to the present one by Alembic, whatever version it was of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, select

_LOCK: Final = 0x6B616D67
"""The advisory lock, on PostgreSQL, of whoever brings the store to its present shape."""


def migrate(connection: Connection) -> None:
    """Apply the steps that are missing; several processes may start at once.

    Raises:
        alembic.util.CommandError: the store is of a later version.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_lock(_LOCK)))
    command.upgrade(config, "head")
    connection.commit()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_unlock(_LOCK)))
        connection.commit()
