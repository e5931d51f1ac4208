"""Where alembic finds the connection and the tables."""

from alembic import context

from store.tables.all import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
