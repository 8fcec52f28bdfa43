"""Alembic's entry: runs the migrations on the connection that `schema.migrate` hands over."""

from alembic import context

from inkseal.store.records import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
