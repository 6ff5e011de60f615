"""Utterances of an older alignment, which a release or an annotation still names."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    column = sa.Column[bool]("retired", sa.Boolean(), nullable=False, server_default=sa.false())
    # Not by copying the table: annotations refer to its rows.
    with op.batch_alter_table("utterances", recreate="never") as batch_op:
        batch_op.add_column(column)


def downgrade() -> None:
    """Bring the tables back to the revision before."""
    with op.batch_alter_table("utterances", recreate="never") as batch_op:
        batch_op.drop_column("retired")
