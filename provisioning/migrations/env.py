"""Run by Alembic: apply the steps on the connection that `provisioning.store` hands over."""

from alembic import context

from provisioning.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
