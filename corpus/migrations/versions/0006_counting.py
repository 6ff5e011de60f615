"""What is counted and listed has indexes: a million utterances are counted at once."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_recordings_source_id", "recordings", ["source", "id"]),
    ("ix_utterances_retired_recording", "utterances", ["retired", "recording"]),
    ("ix_annotations_verdict_utterance", "annotations", ["verdict", "utterance"]),
    ("ix_matches_decision", "matches", ["decision"]),
    ("ix_progress_state", "progress", ["state"]),
)


def upgrade() -> None:
    """Bring the tables to this revision."""
    for name, table, columns in _INDEXES:
        op.create_index(op.f(name), table, columns)


def downgrade() -> None:
    """Bring the tables back to the revision before."""
    for name, table, _ in _INDEXES:
        op.drop_index(op.f(name), table)
