"""What an organisation accepts and approves of its posture, and what verifying the plan's steps showed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make room for it."""
    op.create_table(
        "acceptances",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("check_id", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("owner", sa.String(length=300), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_acceptances_organisation_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptances")),
    )  # fmt: skip
    op.create_table(
        "approvals",
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=40), nullable=False),
        sa.Column("approved_by", sa.String(length=300), nullable=False),
        sa.Column("approved_at", sa.DateTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_approvals_organisation_organisations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation", name=op.f("pk_approvals")),
    )  # fmt: skip
    with op.batch_alter_table("steps") as table:
        table.add_column(sa.Column("verified", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Forget it; the trail still tells who accepted, approved and verified what."""
    with op.batch_alter_table("steps") as table:
        table.drop_column("verified")
    op.drop_table("approvals")
    op.drop_table("acceptances")
