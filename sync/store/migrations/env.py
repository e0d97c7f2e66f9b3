"""Runs the migrations on the connection that sync.store.migrate hands over."""

from alembic import context

from sync.ledger import tables  # noqa: F401 - so do these
from sync.store import schema, unfiltered  # noqa: F401 - their tables join the metadata
from sync.store.columns import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
