"""Stretches of a recording in which something is sung that no verse explains."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    column = sa.Column[object]("unknown", sa.JSON(), nullable=False, server_default="[]")
    with op.batch_alter_table("matches", recreate="never") as batch_op:
        batch_op.add_column(column)


def downgrade() -> None:
    """Bring the tables back to the revision before."""
    with op.batch_alter_table("matches", recreate="never") as batch_op:
        batch_op.drop_column("unknown")
