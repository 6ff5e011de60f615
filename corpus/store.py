"""The store: keeps records, answers queries.  SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from corpus import tables as t
from corpus.errors import StoreError
from corpus.records import (
    PERSON,
    Annotation,
    Decision,
    Draft,
    Match,
    Recording,
    Release,
    ReleasedUtterance,
    Utterance,
    Verdict,
    Verse,
    VerseSource,
)

__all__ = ["AlignedRecording", "Done", "Funnel", "Record", "Store", "Transaction"]

HEAD = "0001"
"""The revision that this code works with; a test keeps it true to the migrations."""

_BATCH = 400  # bound parameters of one statement; SQLite allows 999 in old builds

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedRecording:
    """All utterances of one recording, which take the place of those it had."""

    recording: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one item of one stage."""

    stage: str
    item: str
    inputs: str
    state: str  # "done" or "failed"
    note: str
    at: str  # ISO 8601, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How much of the corpus has come how far."""

    recordings: int
    hours: float
    verses: int
    matched: int
    to_review: int
    aligned: int
    utterances: int
    corrected: int
    published: int
    failed: tuple[Done, ...]


Record = Recording | Verse | Draft | Match | AlignedRecording | Annotation | Release


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    # Building one is slow, and there is one for every row.
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _row(record: Any) -> dict[str, Any]:
    """A record as plain values, tuples as lists, enumerations as their values."""
    dumped: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json")
    return dumped


def _record(kind: type[R], row: Mapping[Any, Any]) -> R:
    fields = {key: row[key] for key in row if key in kind.__dataclass_fields__}  # type: ignore[attr-defined]  # kinds are dataclasses; TypeVar cannot say so
    made: R = _adapter(kind).validate_python(fields)
    return made


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn the database's errors into one line that says where."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        raise StoreError(f"the store {url} cannot be used: {cause}") from error


class Store:
    """One corpus in one database.  Raises StoreError when the database cannot be used."""

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        self.url = parsed.render_as_string(hide_password=True)
        with _told(self.url):
            self._engine = sa.create_engine(parsed)
            if parsed.get_backend_name() == "sqlite":
                sa.event.listen(self._engine, "connect", _tune_sqlite)
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        with self._engine.begin() as connection:
            found = None
            if sa.inspect(connection).has_table("alembic_version"):
                found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            if found != HEAD:
                _migrate(connection)

    def close(self) -> None:
        """Give the database's connections back."""
        self._engine.dispose()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All that is saved inside lands together, or not at all."""
        with _told(self.url), self._engine.begin() as connection:
            yield Transaction(connection)

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with _told(self.url), self._engine.connect() as connection:
            return connection.execute(query).mappings().all()

    # ---- queries

    def recordings(self) -> tuple[Recording, ...]:
        """Every recording, in the order of their sources."""
        query = sa.select(t.recordings).order_by(t.recordings.c.source, t.recordings.c.id)
        return tuple(_record(Recording, row) for row in self._rows(query))

    def recording(self, id: str) -> Recording | None:  # noqa: A002  # the record's own name for it
        """The recording of this id, if it is known."""
        rows = self._rows(sa.select(t.recordings).where(t.recordings.c.id == id))
        return _record(Recording, rows[0]) if rows else None

    def verses(self) -> tuple[Verse, ...]:
        """Every verse with its sources."""
        by_verse: dict[str, list[VerseSource]] = {}
        columns = t.verse_sources.c
        query = sa.select(t.verse_sources).order_by(columns.source, columns.position)
        for row in self._rows(query):
            by_verse.setdefault(row["verse"], []).append(_record(VerseSource, row))
        rows = self._rows(sa.select(t.verses).order_by(t.verses.c.id))
        return tuple(
            _record(Verse, {"lines": row["lines"], "sources": by_verse[row["id"]]}) for row in rows
        )

    def draft(self, recording: str) -> Draft | None:
        """The free transcript of a recording, if one was made."""
        rows = self._rows(sa.select(t.drafts).where(t.drafts.c.recording == recording))
        return _record(Draft, rows[0]) if rows else None

    def matches(self) -> tuple[Match, ...]:
        """The match of every recording that was searched for."""
        rows = self._rows(sa.select(t.matches).order_by(t.matches.c.recording))
        return tuple(_record(Match, row) for row in rows)

    def utterances(self, recording: str | None = None) -> tuple[Utterance, ...]:
        """Utterances as the newest accepted annotation leaves them, in the order of time."""
        query = sa.select(t.utterances).order_by(t.utterances.c.recording, t.utterances.c.start)
        if recording is not None:
            query = query.where(t.utterances.c.recording == recording)
        newest = self._newest_annotations()
        spoken = (
            _spoken(_record(Utterance, row), newest.get(row["id"])) for row in self._rows(query)
        )
        return tuple(utterance for utterance in spoken if utterance is not None)

    def _newest_annotations(self) -> dict[str, Annotation]:
        rows = self._rows(sa.select(t.annotations).order_by(t.annotations.c.made))
        return {row["utterance"]: _record(Annotation, row) for row in rows}

    def releases(self) -> tuple[Release, ...]:
        """Every release with its utterances."""
        found: dict[str, list[ReleasedUtterance]] = {}
        for row in self._rows(sa.select(t.releases_utterances)):
            found.setdefault(row["release"], []).append(_record(ReleasedUtterance, row))
        rows = self._rows(sa.select(t.releases).order_by(t.releases.c.made))
        return tuple(
            Release(name=r["name"], made=r["made"], utterances=tuple(found.get(r["name"], ())))
            for r in rows
        )

    def done(self, stage: str) -> dict[str, Done]:
        """What became of every item of a stage, by item."""
        rows = self._rows(sa.select(t.progress).where(t.progress.c.stage == stage))
        return {row["item"]: _record(Done, row) for row in rows}

    def funnel(self) -> Funnel:
        """How much of the corpus has come how far, and what failed."""
        count, c = sa.func.count(), t.matches.c
        corrected = [Verdict.RIGHT.value, Verdict.CORRECTED.value]
        numbers = {
            "recordings": sa.select(count).select_from(t.recordings),
            "hours": sa.select(sa.func.coalesce(sa.func.sum(t.recordings.c.duration), 0) / 3600),
            "verses": sa.select(count).select_from(t.verses),
            "matched": sa.select(count).where(c.decision == Decision.ACCEPTED.value),
            "to_review": sa.select(count).where(c.decision == Decision.REVIEW.value),
            "aligned": sa.select(sa.func.count(sa.distinct(t.utterances.c.recording))),
            "utterances": sa.select(count).select_from(t.utterances),
            "corrected": sa.select(sa.func.count(sa.distinct(t.annotations.c.utterance))).where(
                t.annotations.c.verdict.in_(corrected)
            ),
            "published": sa.select(sa.func.count(sa.distinct(t.releases_utterances.c.utterance))),
        }
        failed = sa.select(t.progress).where(t.progress.c.state == "failed")
        ordered = failed.order_by(t.progress.c.stage, t.progress.c.item)
        with _told(self.url), self._engine.connect() as connection:
            values = {name: connection.scalar(query) for name, query in numbers.items()}
        failures = tuple(_record(Done, row) for row in self._rows(ordered))
        funnel: Funnel = _adapter(Funnel).validate_python({**values, "failed": failures})
        return funnel


def _spoken(utterance: Utterance, annotation: Annotation | None) -> Utterance | None:
    """The utterance as a person left it; None where that person threw it out."""
    if annotation is None:
        return utterance
    if annotation.verdict is Verdict.REJECTED:
        return None
    return annotation.applied_to(utterance)


def _tune_sqlite(connection: Any, _: Any) -> None:
    # WAL: readers go on while a stage writes.  FULL: what was said to be done survives a power cut.
    for setting in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
    ):
        connection.execute(f"PRAGMA {setting}")


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


class Transaction:
    """Saves records over one connection; made by `Store.transaction`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._savers = {
            Recording: self._recording,
            Verse: self._verse,
            Draft: self._draft,
            Match: self._match,
            AlignedRecording: self._aligned,
            Annotation: self._annotation,
            Release: self._release,
        }

    def save(self, records: Iterable[Record]) -> None:
        """Save records.  Saving one a second time changes nothing."""
        for record in records:
            self._savers[type(record)](record)  # type: ignore[operator]  # each saver takes its own kind

    def mark(self, done: Done) -> None:
        """Note what became of an item, in place of what was noted before."""
        self._replace(t.progress, {"stage": done.stage, "item": done.item}, _row(done))

    def forget_parts(self, stage: str, item: str) -> None:
        """Forget what was noted of the parts of an item, before they are noted anew."""
        c, prefix = t.progress.c, f"{item}:"
        parts = sa.func.substr(c.item, 1, len(prefix)) == prefix
        self._connection.execute(sa.delete(t.progress).where(c.stage == stage, parts))

    def _replace(self, table: sa.Table, key: Mapping[str, str], row: Mapping[str, Any]) -> None:
        where = sa.and_(*(table.c[name] == value for name, value in key.items()))
        self._connection.execute(sa.delete(table).where(where))
        self._connection.execute(sa.insert(table).values(**row))

    def _upsert(self, table: sa.Table, id: str, row: Mapping[str, Any]) -> None:  # noqa: A002  # as in the table
        updated = self._connection.execute(sa.update(table).where(table.c.id == id).values(**row))
        if not updated.rowcount:
            self._connection.execute(sa.insert(table).values(id=id, **row))

    def _recording(self, recording: Recording) -> None:
        row = _row(recording)
        self._upsert(t.recordings, row.pop("id"), row)

    def _verse(self, verse: Verse) -> None:
        id_, row = verse.id, _row(verse)
        known = sa.select(t.verses.c.id).where(t.verses.c.id == id_)
        if self._connection.scalar(known) is None:
            self._connection.execute(sa.insert(t.verses).values(id=id_, lines=row["lines"]))
        for source in row["sources"]:
            key = {"verse": id_, "source": source["source"], "position": source["position"]}
            self._replace(t.verse_sources, key, {"verse": id_, **source})

    def _draft(self, draft: Draft) -> None:
        self._replace(t.drafts, {"recording": draft.recording}, _row(draft))

    def _match(self, match: Match) -> None:
        c = t.matches.c
        before = self._connection.scalar(
            sa.select(c.decided_by).where(c.recording == match.recording)
        )
        # What a person decided is overwritten by a person only.
        if before != PERSON or match.decided_by == PERSON:
            self._replace(t.matches, {"recording": match.recording}, _row(match))

    def _aligned(self, aligned: AlignedRecording) -> None:
        """What people or a release have spoken of stays; the rest of the old ones goes."""
        c = t.utterances.c
        kept = sa.union(
            sa.select(t.annotations.c.utterance), sa.select(t.releases_utterances.c.utterance)
        )
        mine = c.recording == aligned.recording
        self._connection.execute(sa.delete(t.utterances).where(mine, c.id.not_in(kept)))
        for utterance in aligned.utterances:
            self._upsert(t.utterances, utterance.id, _row(utterance))

    def _annotation(self, annotation: Annotation) -> None:
        self._upsert(t.annotations, annotation.id, _row(annotation))

    def _release(self, release: Release) -> None:
        row = {"name": release.name, "made": release.made}
        links = t.releases_utterances
        self._connection.execute(sa.delete(links).where(links.c.release == release.name))
        self._replace(t.releases, {"name": release.name}, row)
        for start in range(0, len(release.utterances), _BATCH):
            rows = [
                {"release": release.name, **_row(u)}
                for u in release.utterances[start : start + _BATCH]
            ]
            self._connection.execute(sa.insert(links), rows)
