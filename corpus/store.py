"""The store: keeps records, answers queries.  SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from pydantic import TypeAdapter

from corpus import tables as t
from corpus.database import Database
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


class Store:
    """One corpus in one database.  Raises StoreError when the database cannot be used."""

    def __init__(self, url: str | sa.URL) -> None:
        self._database = Database(url)
        try:
            self._database.bring_up_to_date()
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Give the database's connections back."""
        self._database.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All that is saved inside lands together, or not at all."""
        with self._database.writing() as connection:
            yield Transaction(connection)

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with self._database.reading() as connection:
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
        # Verses before sources: what another process adds between is then left out whole.
        rows = self._rows(sa.select(t.verses).order_by(t.verses.c.id))
        for row in self._rows(query):
            by_verse.setdefault(row["verse"], []).append(_record(VerseSource, row))
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
        """Utterances as the newest annotation leaves them, in the order of time."""
        c = t.utterances.c
        query = sa.select(t.utterances).where(~c.retired).order_by(c.recording, c.start, c.id)
        if recording is not None:
            query = query.where(c.recording == recording)
        newest = self._newest_annotations()
        spoken = (
            _spoken(_record(Utterance, row), newest.get(row["id"])) for row in self._rows(query)
        )
        return tuple(utterance for utterance in spoken if utterance is not None)

    def aligned_utterances(self) -> dict[str, Utterance]:
        """Every utterance by its id, as it was before anyone corrected it."""
        return {row["id"]: _record(Utterance, row) for row in self._rows(sa.select(t.utterances))}

    def _newest_annotations(self) -> dict[str, Annotation]:
        return _newest(self._rows(_ANNOTATIONS))

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
            "utterances": sa.select(count).where(~t.utterances.c.retired),
            "corrected": sa.select(sa.func.count(sa.distinct(t.annotations.c.utterance))).where(
                t.annotations.c.verdict.in_(corrected)
            ),
            "published": sa.select(sa.func.count(sa.distinct(t.releases_utterances.c.utterance))),
        }
        failed = sa.select(t.progress).where(t.progress.c.state == "failed")
        ordered = failed.order_by(t.progress.c.stage, t.progress.c.item)
        with self._database.reading() as connection:
            values = {name: connection.scalar(query) for name, query in numbers.items()}
        failures = tuple(_record(Done, row) for row in self._rows(ordered))
        funnel: Funnel = _adapter(Funnel).validate_python({**values, "failed": failures})
        return funnel


# The id decides between two of the same second, so that every reading gives the same.
_ANNOTATIONS = sa.select(t.annotations).order_by(t.annotations.c.made, t.annotations.c.id)


def _newest(rows: Iterable[sa.RowMapping]) -> dict[str, Annotation]:
    return {row["utterance"]: _record(Annotation, row) for row in rows}


def _same_stretch(utterance: Utterance, said: Annotation) -> bool:
    """Whether they share more than half of the shorter one."""
    shared = min(utterance.end, said.end) - max(utterance.start, said.start)
    return shared > min(utterance.duration, said.end - said.start) / 2


def _spoken(utterance: Utterance, annotation: Annotation | None) -> Utterance | None:
    """The utterance as a person left it; None where that person threw it out."""
    if annotation is None:
        return utterance
    if annotation.verdict is Verdict.REJECTED:
        return None
    return annotation.applied_to(utterance)


class Transaction:
    """Saves records over one connection; made by `Store.transaction`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._savers = {
            Recording: self._recording,
            Draft: self._draft,
            Match: self._match,
            AlignedRecording: self._aligned,
            Annotation: self._annotation,
            Release: self._release,
        }

    def save(self, records: Iterable[Record]) -> None:
        """Save records.  Saving one a second time changes nothing."""
        for kind, same in groupby(records, key=type):
            if kind is Verse:
                self._verses(cast("list[Verse]", list(same)))
                continue
            for record in same:
                self._savers[kind](record)  # type: ignore[operator]  # each saver takes its own kind

    def mark(self, done: Done) -> None:
        """Note what became of an item, in place of what was noted before."""
        self._replace(t.progress, {"stage": done.stage, "item": done.item}, _row(done))

    def forget(self, stage: str, item: str) -> None:
        """Forget what was noted of an item."""
        c = t.progress.c
        self._connection.execute(sa.delete(t.progress).where(c.stage == stage, c.item == item))

    def forget_parts(self, stage: str, item: str) -> None:
        """Forget which parts of an item failed, before it is noted anew."""
        c, prefix = t.progress.c, f"{item}:"
        parts = sa.func.substr(c.item, 1, len(prefix)) == prefix
        mine = (c.stage == stage, c.state == "failed", parts)
        self._connection.execute(sa.delete(t.progress).where(*mine))

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

    def _verses(self, verses: Sequence[Verse]) -> None:
        """Many at once: a collection of letras holds tens of thousands."""
        for start in range(0, len(verses), _BATCH):
            rows = [(verse.id, _row(verse)) for verse in verses[start : start + _BATCH]]
            c = t.verses.c
            ids = [id_ for id_, _ in rows]
            known = set(self._connection.scalars(sa.select(c.id).where(c.id.in_(ids))))
            # The first spelling of the batch stands, as the first of all does.
            new = {id_: row["lines"] for id_, row in reversed(rows) if id_ not in known}
            self._insert(t.verses, [{"id": id_, "lines": lines} for id_, lines in new.items()])
            self._verse_sources(
                {"verse": id_, **source} for id_, row in rows for source in row["sources"]
            )

    def _verse_sources(self, rows: Iterable[Mapping[str, Any]]) -> None:
        c, key = t.verse_sources.c, ("verse", "source", "position")
        newest = {tuple(row[name] for name in key): row for row in rows}
        where = sa.and_(*(c[name] == sa.bindparam(f"b_{name}") for name in key))
        bound = [{f"b_{name}": row[name] for name in key} for row in newest.values()]
        self._connection.execute(sa.delete(t.verse_sources).where(where), bound)
        self._insert(t.verse_sources, list(newest.values()))

    def _insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(sa.insert(table), rows)

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
        """What people spoke of stays and speaks; what only a release names stays out of sight."""
        c = t.utterances.c
        mine, annotated = c.recording == aligned.recording, sa.select(t.annotations.c.utterance)
        named = sa.union(annotated, sa.select(t.releases_utterances.c.utterance))
        self._connection.execute(sa.delete(t.utterances).where(mine, c.id.not_in(named)))
        older = sa.update(t.utterances).where(mine, c.id.not_in(annotated))
        self._connection.execute(older.values(retired=True))
        spoken = self._spoken_of(aligned.recording)
        for utterance in aligned.utterances:
            if not any(_same_stretch(utterance, said) for said in spoken):
                row = _row(utterance)
                del row["corrects"]  # an annotation says that
                self._upsert(t.utterances, utterance.id, {**row, "retired": False})

    def _spoken_of(self, recording: str) -> list[Annotation]:
        """What people left standing in a recording: there, no alignment puts its word beside."""
        mine = sa.select(t.utterances.c.id).where(t.utterances.c.recording == recording)
        rows = self._connection.execute(
            _ANNOTATIONS.where(t.annotations.c.utterance.in_(mine))
        ).mappings()
        return [said for said in _newest(rows).values() if said.verdict is not Verdict.REJECTED]

    def _annotation(self, annotation: Annotation) -> None:
        self._upsert(t.annotations, annotation.id, _row(annotation))

    def _release(self, release: Release) -> None:
        row = {"name": release.name, "made": release.made}
        links = t.releases_utterances
        self._connection.execute(sa.delete(links).where(links.c.release == release.name))
        self._replace(t.releases, {"name": release.name}, row)
        self._insert(links, [{"release": release.name, **_row(u)} for u in release.utterances])
