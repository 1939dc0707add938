"""Decisions that name senders, join them, and set parts of them apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make room for what an act says beyond a judgement."""
    with op.batch_alter_table("decisions") as table:
        table.add_column(sa.Column("said", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Forget the acts that an earlier version does not know: it would take them for withdrawals."""
    op.execute("DELETE FROM decisions WHERE said IS NOT NULL AND judgement IS NULL")
    with op.batch_alter_table("decisions") as table:
        table.drop_column("said")
