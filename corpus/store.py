"""The store: keeps records, answers queries.  SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from corpus import tables as t
from corpus.database import Database
from corpus.errors import StoreError
from corpus.records import (
    Annotation,
    Decision,
    Description,
    Draft,
    Features,
    Match,
    Recording,
    Release,
    ReleasedUtterance,
    Tombstone,
    Utterance,
    Verdict,
    Verse,
    VerseSource,
)
from corpus.rows import ANNOTATIONS, Done, adapter, newest_annotations, record_of, utterance_of
from corpus.saving import Transaction

__all__ = ["Funnel", "Store"]

_AT_A_TIME = 400  # rows; their ids are the bound parameters of another statement


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


class Store:
    """One corpus in one database.  Raises StoreError when the database cannot be used.

    `check` raises where nothing may be written any more: it is asked before each transaction.
    """

    def __init__(self, url: str | sa.URL, check: Callable[[], None] = lambda: None) -> None:
        self._database, self._check = Database(url), check
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
            self._check()
            yield Transaction(connection)

    @contextlib.contextmanager
    def held(self) -> Iterator[Callable[[], object]]:
        """While the block lasts nobody writes; what is given raises where that is no longer so."""
        with self._database.writing() as connection:
            self._check()
            yield lambda: connection.execute(sa.select(1))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """A connection to read all tables by, as they are at one moment."""
        with self._database.snapshot() as connection:
            yield connection

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with self._database.reading() as connection:
            return connection.execute(query).mappings().all()

    @contextlib.contextmanager
    def _streaming(
        self, query: sa.Select[Any]
    ) -> Iterator[tuple[sa.Connection, sa.CursorResult[Any]]]:
        """The rows as they are asked for, and the connection they come by."""
        some = {"yield_per": _AT_A_TIME}
        with (
            self._database.reading() as connection,
            connection.execute(query, execution_options=some) as found,
        ):
            yield connection, found

    # ---- queries

    def recordings(self) -> tuple[Recording, ...]:
        """Every recording, in the order of their sources."""
        return tuple(self.each_recording())

    def each_recording(self) -> Iterator[Recording]:
        """The same one by one."""
        query = sa.select(t.recordings).order_by(t.recordings.c.source, t.recordings.c.id)
        with self._streaming(query) as (_, found):
            for row in found.mappings():
                yield record_of(Recording, row)

    def recordings_of(self, start: str) -> tuple[Recording, ...]:
        """The recordings whose id begins so."""
        begins = t.recordings.c.id.startswith(start, autoescape=True)
        rows = self._rows(sa.select(t.recordings).where(begins))
        return tuple(record_of(Recording, row) for row in rows)

    def recording(self, id: str) -> Recording | None:  # noqa: A002  # the record's own name for it
        """The recording of this id, if it is known."""
        rows = self._rows(sa.select(t.recordings).where(t.recordings.c.id == id))
        return record_of(Recording, rows[0]) if rows else None

    def verses(self) -> tuple[Verse, ...]:
        """Every verse with its sources."""
        by_verse: dict[str, list[VerseSource]] = {}
        columns = t.verse_sources.c
        query = sa.select(t.verse_sources).order_by(columns.source, columns.position)
        # Verses before sources: what another process adds between is then left out whole.
        rows = self._rows(sa.select(t.verses).order_by(t.verses.c.id))
        for row in self._rows(query):
            by_verse.setdefault(row["verse"], []).append(record_of(VerseSource, row))
        return tuple(
            record_of(Verse, {"lines": row["lines"], "sources": by_verse[row["id"]]})
            for row in rows
        )

    def coplas(self) -> dict[str, str]:
        """The copla of each verse that was compared with the others: its own id, or another's."""
        c = t.variants.c
        return {row["verse"]: row["copla"] for row in self._rows(sa.select(c.verse, c.copla))}

    def verse_sources_of(self, sources: Collection[str], start: str) -> tuple[str, ...]:
        """The sources of verses that are among `sources`, or begin with `start` if it is given."""
        rows = self._rows(sa.select(t.verse_sources.c.source).distinct())
        names = (row["source"] for row in rows)
        return tuple(n for n in names if n in sources or (start and n.startswith(start)))

    def features(self) -> dict[str, Features]:
        """What was measured, by recording."""
        rows = self._rows(sa.select(t.features))
        return {row["recording"]: record_of(Features, row) for row in rows}

    def fingerprints(self) -> dict[str, bytes]:
        """The fingerprints that were taken, by recording; b"" where there is too little to tell."""
        rows = self._rows(sa.select(t.fingerprints).order_by(t.fingerprints.c.recording))
        return {row["recording"]: row["codes"] for row in rows}

    def tombstones(self) -> dict[str, Tombstone]:
        """What was purged, by recording."""
        rows = self._rows(sa.select(t.tombstones))
        return {row["recording"]: record_of(Tombstone, row) for row in rows}

    def tombstone(self, recording: str) -> Tombstone | None:
        """The tombstone of a recording, if it was purged."""
        rows = self._rows(sa.select(t.tombstones).where(t.tombstones.c.recording == recording))
        return record_of(Tombstone, rows[0]) if rows else None

    def draft(self, recording: str) -> Draft | None:
        """The free transcript of a recording, if one was made."""
        rows = self._rows(sa.select(t.drafts).where(t.drafts.c.recording == recording))
        return record_of(Draft, rows[0]) if rows else None

    def matches(self) -> tuple[Match, ...]:
        """The match of every recording that was searched for."""
        rows = self._rows(sa.select(t.matches).order_by(t.matches.c.recording))
        return tuple(record_of(Match, row) for row in rows)

    def utterances(
        self, recording: str | None = None, *, words: bool = True
    ) -> tuple[Utterance, ...]:
        """Utterances as the newest annotation leaves them, in the order of time."""
        return tuple(self.each_utterance(recording, words=words))

    def each_utterance(
        self, recording: str | None = None, *, words: bool = True
    ) -> Iterator[Utterance]:
        """The same one by one: the first of a million are there at once, and memory stays small.

        Without `words` they come with none, whatever they have, and several times as fast.
        """
        c = t.utterances.c
        columns = [column for column in c if words or column is not c.words]
        query = sa.select(*columns).where(~c.retired).order_by(c.recording, c.start, c.id)
        if recording is not None:
            query = query.where(c.recording == recording)
        with self._streaming(query) as (connection, found):
            for rows in found.mappings().partitions():
                newest = _newest_of(connection, [row["id"] for row in rows])
                for row in rows:
                    utterance = _spoken(utterance_of(row), newest.get(row["id"]))
                    if utterance is None:
                        continue
                    # Only what a person said has words here.
                    bare = words or not utterance.words
                    yield utterance if bare else replace(utterance, words=())

    def aligned_utterances(self) -> dict[str, Utterance]:
        """Every utterance by its id, as it was before anyone corrected it."""
        return {row["id"]: utterance_of(row) for row in self._rows(sa.select(t.utterances))}

    def annotations(self) -> tuple[Annotation, ...]:
        """All that people ever said of utterances, in the order of time."""
        return tuple(record_of(Annotation, row) for row in self._rows(ANNOTATIONS))

    def descriptions(self) -> tuple[Description, ...]:
        """All that people said of whole recordings, in the order of time."""
        c = t.descriptions.c
        rows = self._rows(sa.select(t.descriptions).order_by(c.made, c.id))
        return tuple(record_of(Description, row) for row in rows)

    def releases(self) -> tuple[Release, ...]:
        """Every release with its utterances."""
        found: dict[str, list[ReleasedUtterance]] = {}
        for row in self._rows(sa.select(t.releases_utterances)):
            found.setdefault(row["release"], []).append(record_of(ReleasedUtterance, row))
        rows = self._rows(sa.select(t.releases).order_by(t.releases.c.made))
        return tuple(
            Release(name=r["name"], made=r["made"], utterances=tuple(found.get(r["name"], ())))
            for r in rows
        )

    def done(self, stage: str) -> dict[str, Done]:
        """What became of every item of a stage, by item."""
        rows = self._rows(sa.select(t.progress).where(t.progress.c.stage == stage))
        return {row["item"]: record_of(Done, row) for row in rows}

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
        failures = tuple(record_of(Done, row) for row in self._rows(ordered))
        funnel: Funnel = adapter(Funnel).validate_python({**values, "failed": failures})
        return funnel


def _newest_of(connection: sa.Connection, utterances: Sequence[str]) -> dict[str, Annotation]:
    mine = ANNOTATIONS.where(t.annotations.c.utterance.in_(utterances))
    return newest_annotations(connection.execute(mine).mappings())


def _spoken(utterance: Utterance, annotation: Annotation | None) -> Utterance | None:
    """The utterance as a person left it; None where that person threw it out."""
    if annotation is None or annotation.verdict is Verdict.FLAGGED:
        return utterance
    if annotation.verdict is Verdict.REJECTED:
        return None
    return annotation.applied_to(utterance)
