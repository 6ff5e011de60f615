"""The tables of the store.  A change here comes with a migration (a test compares the two).

No import of annotations from the future here: a table has that name.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

__all__ = [
    "annotations",
    "descriptions",
    "drafts",
    "features",
    "fingerprints",
    "matches",
    "metadata",
    "progress",
    "recordings",
    "releases",
    "releases_utterances",
    "tombstones",
    "utterances",
    "variants",
    "verse_sources",
    "verses",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, default="")


def _key(name: str, length: int = 64) -> Column[str]:
    return Column(name, String(length), primary_key=True)


recordings = Table(
    "recordings",
    metadata,
    _key("id"),
    *(_text(name) for name in ("source", "suffix", "title", "artist", "author", "album")),
    Column("duration", Float, nullable=False),
    Column("year", Integer),
    *(_text(name) for name in ("palo", "region", "sex", "rights", "master")),
    Column("part_of", Text, nullable=False, default="", server_default=""),
    Column("offset", Float, nullable=False, default=0.0, server_default="0"),
    Column("extra", JSON, nullable=False),
    Index(None, "source", "id"),
)

features = Table(
    "features",
    metadata,
    Column("recording", String(64), ForeignKey("recordings.id"), primary_key=True),
    Column("measures", JSON, nullable=False),
    Column("marks", JSON, nullable=False),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("recording", String(64), ForeignKey("recordings.id"), primary_key=True),
    Column("codes", LargeBinary, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    _key("recording"),
    *(_text(name) for name in ("source", "suffix", "reason", "at")),
    Column("emptied", Boolean, nullable=False),
)

verses = Table(
    "verses",
    metadata,
    _key("id", 32),
    Column("lines", JSON, nullable=False),
)

verse_sources = Table(
    "verse_sources",
    metadata,
    Column("verse", String(32), ForeignKey("verses.id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("lines", JSON, nullable=False),
    *(_text(name) for name in ("title", "artist", "palo", "rights")),
    Column("extra", JSON, nullable=False),
)

variants = Table(
    "variants",
    metadata,
    Column("verse", String(32), ForeignKey("verses.id"), primary_key=True),
    Column("copla", String(32), ForeignKey("verses.id"), nullable=False, index=True),
)

drafts = Table(
    "drafts",
    metadata,
    Column("recording", String(64), ForeignKey("recordings.id"), primary_key=True),
    _text("model"),
    Column("segments", JSON, nullable=False),
)

matches = Table(
    "matches",
    metadata,
    Column("recording", String(64), ForeignKey("recordings.id"), primary_key=True),
    Column("verses", JSON, nullable=False),
    Column("decision", Text, nullable=False, default="", index=True),
    _text("decided_by"),
    Column("unknown", JSON, nullable=False, server_default="[]"),
)

utterances = Table(
    "utterances",
    metadata,
    _key("id", 32),
    Column("recording", String(64), ForeignKey("recordings.id"), nullable=False),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    _text("text"),
    Column("words", JSON, nullable=False),
    *(_text(name) for name in ("verse", "kind", "tier")),
    Column("score", Float, nullable=False),
    # Not of the newest alignment, and kept because a release or an annotation names it.
    Column("retired", Boolean, nullable=False, default=False, server_default=false()),
    Index(None, "recording", "start"),
    # Counted without reading the words.
    Index(None, "retired", "recording"),
)

annotations = Table(
    "annotations",
    metadata,
    _key("id", 32),
    Column("utterance", String(32), ForeignKey("utterances.id"), nullable=False, index=True),
    *(_text(name) for name in ("annotator", "made", "verdict", "text", "kind")),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("words", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("remark", Text, nullable=False, default="", server_default=""),
    Column("origin", Text, nullable=False, default="", server_default="", index=True),
    Index(None, "verdict", "utterance"),
)

descriptions = Table(
    "descriptions",
    metadata,
    _key("id", 32),
    Column("recording", String(64), ForeignKey("recordings.id"), nullable=False, index=True),
    *(_text(name) for name in ("annotator", "made", "origin")),
    Column("answers", JSON, nullable=False),
)

releases = Table("releases", metadata, _key("name"), _text("made"))

releases_utterances = Table(
    "releases_utterances",
    metadata,
    Column("release", String(64), ForeignKey("releases.name"), primary_key=True),
    Column("utterance", String(32), ForeignKey("utterances.id"), primary_key=True, index=True),
    _text("split"),
)

progress = Table(
    "progress",
    metadata,
    _key("stage", 32),
    Column("item", Text, primary_key=True),
    *(_text(name) for name in ("inputs", "state", "note", "at")),
    Index(None, "state"),
)
