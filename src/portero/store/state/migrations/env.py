"""Runs the migrations on the connection that `portero.store.state.database` hands over."""

from __future__ import annotations

from alembic import context

from portero.store.state.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
