"""Where an annotation was made and what it finds wrong; what people say of whole recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FK = "fk_descriptions_recording"
_ORIGIN = "ix_annotations_origin"


def upgrade() -> None:
    """Bring the tables to this revision."""
    with op.batch_alter_table("annotations", recreate="never") as batch_op:
        for name in ("remark", "origin"):
            column = sa.Column[object](name, sa.Text(), nullable=False, server_default="")
            batch_op.add_column(column)
    op.create_index(op.f(_ORIGIN), "annotations", ["origin"])
    op.create_table(
        "descriptions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("recording", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("annotator", "made", "origin")),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["recording"], ["recordings.id"], name=op.f(_FK)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_descriptions")),
    )
    op.create_index(op.f("ix_descriptions_recording"), "descriptions", ["recording"])


def downgrade() -> None:
    """Bring the tables back to the revision before."""
    op.drop_table("descriptions")
    op.drop_index(op.f(_ORIGIN), "annotations")
    with op.batch_alter_table("annotations", recreate="never") as batch_op:
        for name in ("remark", "origin"):
            batch_op.drop_column(name)
