"""Alembic's entry point: runs the migrations on the connection that `store.catalog.schema.upgrade` hands over."""

from alembic import context

from store.catalog.tables import Base

connection = context.config.attributes["connection"]
# SQLite cannot alter most things in place: batch mode copies the table instead.
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
