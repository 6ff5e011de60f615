"""What is measured at intake, tracks of a side, variants of a copla, what was purged."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    # Not by copying the table: others refer to its rows.
    with op.batch_alter_table("recordings", recreate="never") as batch_op:
        batch_op.add_column(sa.Column[str]("part_of", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(
            sa.Column[float]("offset", sa.Float(), nullable=False, server_default="0")
        )
    op.create_table(
        "features",
        sa.Column("recording", sa.String(length=64), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording"], ["recordings.id"], name=op.f("fk_features_recording")
        ),
        sa.PrimaryKeyConstraint("recording", name=op.f("pk_features")),
    )
    op.create_table(
        "fingerprints",
        sa.Column("recording", sa.String(length=64), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording"], ["recordings.id"], name=op.f("fk_fingerprints_recording")
        ),
        sa.PrimaryKeyConstraint("recording", name=op.f("pk_fingerprints")),
    )
    op.create_table(
        "tombstones",
        sa.Column("recording", sa.String(length=64), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("source", "suffix", "reason", "at")
        ),
        sa.Column("emptied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("recording", name=op.f("pk_tombstones")),
    )
    op.create_table(
        "variants",
        sa.Column("verse", sa.String(length=32), nullable=False),
        sa.Column("copla", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["copla"], ["verses.id"], name=op.f("fk_variants_copla")),
        sa.ForeignKeyConstraint(["verse"], ["verses.id"], name=op.f("fk_variants_verse")),
        sa.PrimaryKeyConstraint("verse", name=op.f("pk_variants")),
    )
    op.create_index(op.f("ix_variants_copla"), "variants", ["copla"])


def downgrade() -> None:
    """Bring the tables back to the revision before."""
    op.drop_index(op.f("ix_variants_copla"), "variants")
    for table in ("variants", "tombstones", "fingerprints", "features"):
        op.drop_table(table)
    with op.batch_alter_table("recordings", recreate="never") as batch_op:
        batch_op.drop_column("offset")
        batch_op.drop_column("part_of")
