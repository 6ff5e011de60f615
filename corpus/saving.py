"""Saving records: each transaction lands together, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from corpus import tables as t
from corpus.errors import PurgedError
from corpus.records import (
    PERSON,
    Annotation,
    Description,
    Draft,
    Features,
    Fingerprint,
    Match,
    Recording,
    Release,
    Tombstone,
    Utterance,
    Variant,
    Verdict,
    Verse,
)
from corpus.rows import (
    ANNOTATIONS,
    AlignedRecording,
    Amended,
    Done,
    Record,
    newest_annotations,
    row_of,
    utterance_of,
)

__all__ = ["SENT", "Transaction"]

SENT = "sent"
"""The stage of utterances that were put before people: what they make of them may come any time."""

_BATCH = 400  # bound parameters of one statement; SQLite allows 999 in old builds


class Transaction:
    """Saves records over one connection; made by `Store.transaction`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._savers = {
            Recording: self._recording,
            Amended: self._amended,
            Features: self._features,
            Fingerprint: self._fingerprint,
            Tombstone: self._tombstone,
            Draft: self._draft,
            Match: self._match,
            AlignedRecording: self._aligned,
            Annotation: self._annotation,
            Description: self._description,
            Utterance: self._utterance,
            Release: self._release,
        }

    def save(self, records: Iterable[Record]) -> None:
        """Save records.  Saving one a second time changes nothing.

        Raises PurgedError for what was purged, or is of something that was.
        """
        try:
            self._save(records)
        except IntegrityError as error:
            # Both databases name it so.
            if "foreign key" not in str(error.orig).lower():
                raise
            raise PurgedError("it was purged meanwhile") from error

    def _save(self, records: Iterable[Record]) -> None:
        for kind, same in groupby(records, key=type):
            if kind is Verse:
                self._verses(cast("list[Verse]", list(same)))
                continue
            if kind is Variant:
                self._variants([row_of(variant) for variant in same])
                continue
            for record in same:
                self._savers[kind](record)  # type: ignore[operator]  # each saver takes its own kind

    def mark(self, done: Done) -> None:
        """Note what became of an item, in place of what was noted before."""
        self._replace(t.progress, {"stage": done.stage, "item": done.item}, row_of(done))

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
        buried = sa.exists().where(t.tombstones.c.recording == recording.id)
        if self._connection.scalar(sa.select(buried)):
            raise PurgedError("it was purged meanwhile")
        row = row_of(recording)
        self._upsert(t.recordings, row.pop("id"), row)

    def _amended(self, amended: Amended) -> None:
        """Raises PurgedError where it is not there any more."""
        before = row_of(amended.before)
        new = {k: v for k, v in row_of(amended.after).items() if v != before[k]}
        mine = t.recordings.c.id == amended.before.id
        if not self._connection.scalar(sa.select(sa.exists().where(mine))):
            raise PurgedError("it was purged meanwhile")
        if new:
            self._connection.execute(sa.update(t.recordings).where(mine).values(**new))

    def purge(self, recordings: Sequence[str], letras: Sequence[str]) -> dict[str, int]:
        """Remove recordings, letras by source, and all that came of them; rows by table."""
        gone = Counter[str]()
        for start in range(0, len(letras), _BATCH):
            gone += self._purge_letras(letras[start : start + _BATCH])
        for start in range(0, len(recordings), _BATCH):
            gone += self._purge_recordings(recordings[start : start + _BATCH])
        return dict(gone)

    def _purge_recordings(self, ids: Sequence[str]) -> Counter[str]:
        gone = self._purge_utterances(t.utterances.c.recording.in_(ids))
        for table in (t.matches, t.drafts, t.features, t.fingerprints, t.descriptions):
            gone += self._delete(table, table.c.recording.in_(ids))
        gone += self._delete(t.recordings, t.recordings.c.id.in_(ids))
        for id_ in ids:
            # What was done with it, and with its parts; where it came from stays known.
            item = t.progress.c.item
            self._delete(t.progress, sa.func.substr(item, 1, len(id_)) == id_)
        return gone

    def _purge_utterances(self, which: sa.ColumnElement[bool]) -> Counter[str]:
        ids = sa.select(t.utterances.c.id).where(which)
        links, said = t.releases_utterances, t.annotations
        self._delete(t.progress, sa.and_(t.progress.c.stage == SENT, t.progress.c.item.in_(ids)))
        gone = self._delete(links, links.c.utterance.in_(ids))
        gone += self._delete(said, said.c.utterance.in_(ids))
        return gone + self._delete(t.utterances, which)

    def _purge_letras(self, sources: Sequence[str]) -> Counter[str]:
        """Verses that stand nowhere else go, and what was cut by them; matches do without."""
        c = t.verse_sources.c
        gone = self._delete(t.verse_sources, c.source.in_(sources))
        lost = t.verses.c.id.not_in(sa.select(c.verse))
        ids = list(self._connection.scalars(sa.select(t.verses.c.id).where(lost)))
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            gone += self._purge_utterances(t.utterances.c.verse.in_(some))
            either = t.variants.c.verse.in_(some) | t.variants.c.copla.in_(some)
            gone += self._delete(t.variants, either)
        self._unmatch(set(ids))
        return gone + self._delete(t.verses, lost)

    def _unmatch(self, verses: set[str]) -> None:
        """Matches without these verses; one that has no other is no match any more."""
        c = t.matches.c
        for row in self._connection.execute(sa.select(c.recording, c.verses)).all():
            kept = [verse for verse in row.verses if verse["verse"] not in verses]
            if len(kept) == len(row.verses):
                continue
            mine = c.recording == row.recording
            if kept:
                self._connection.execute(sa.update(t.matches).where(mine).values(verses=kept))
            else:
                self._delete(t.matches, mine)

    def _delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> Counter[str]:
        n_rows = self._connection.execute(sa.delete(table).where(which)).rowcount
        return Counter({table.name: n_rows} if n_rows else {})

    def _features(self, features: Features) -> None:
        self._replace(t.features, {"recording": features.recording}, row_of(features))

    def _fingerprint(self, one: Fingerprint) -> None:
        row = {"recording": one.recording, "codes": one.codes}
        self._replace(t.fingerprints, {"recording": one.recording}, row)

    def masters(self, masters: Mapping[str, str]) -> None:
        """Note the master of each recording that has copies, and of no other."""
        c = t.recordings.c
        stale = c.id.not_in(masters) if len(masters) < _BATCH else sa.true()
        self._connection.execute(
            sa.update(t.recordings).where(c.master != "", stale).values(master="")
        )
        rows = [{"b_id": id_, "master": master} for id_, master in masters.items()]
        if rows:
            mine = sa.update(t.recordings).where(c.id == sa.bindparam("b_id"))
            self._connection.execute(mine.values(master=sa.bindparam("master")), rows)

    def _variants(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            verses = [row["verse"] for row in some]
            self._delete(t.variants, t.variants.c.verse.in_(verses))
            self._insert(t.variants, some)

    def _tombstone(self, tombstone: Tombstone) -> None:
        self._replace(t.tombstones, {"recording": tombstone.recording}, row_of(tombstone))

    def _verses(self, verses: Sequence[Verse]) -> None:
        """Many at once: a collection of letras holds tens of thousands."""
        for start in range(0, len(verses), _BATCH):
            rows = [(verse.id, row_of(verse)) for verse in verses[start : start + _BATCH]]
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
        self._replace(t.drafts, {"recording": draft.recording}, row_of(draft))

    def _match(self, match: Match) -> None:
        c = t.matches.c
        before = self._connection.scalar(
            sa.select(c.decided_by).where(c.recording == match.recording)
        )
        kept = self._still_there(match)
        # What a person decided is overwritten by a person only.
        if kept and (before != PERSON or match.decided_by == PERSON):
            self._replace(t.matches, {"recording": match.recording}, row_of(kept))

    def _still_there(self, match: Match) -> Match | None:
        """The match without verses that were purged while it was searched for; None without any."""
        ids = {verse.verse for verse in match.verses}
        found = self._connection.scalars(sa.select(t.verses.c.id).where(t.verses.c.id.in_(ids)))
        gone = ids.difference(found)
        verses = tuple(verse for verse in match.verses if verse.verse not in gone)
        return replace(match, verses=verses) if verses or not ids else None

    def _aligned(self, aligned: AlignedRecording) -> None:
        """What people spoke of stays and speaks; what is only named stays out of sight.

        A release names it, or somebody who has been asked what is sung there.
        """
        c = t.utterances.c
        mine, annotated = c.recording == aligned.recording, sa.select(t.annotations.c.utterance)
        sent = sa.select(t.progress.c.item).where(t.progress.c.stage == SENT)
        named = sa.union(annotated, sa.select(t.releases_utterances.c.utterance), sent)
        self._connection.execute(sa.delete(t.utterances).where(mine, c.id.not_in(named)))
        older = sa.update(t.utterances).where(mine, c.id.not_in(annotated))
        self._connection.execute(older.values(retired=True))
        spoken = self._spoken_of(aligned.recording)
        for utterance in aligned.utterances:
            if not any(_same_stretch(utterance, said) for said in spoken):
                self._utterance(utterance)

    def _utterance(self, utterance: Utterance) -> None:
        row = row_of(utterance)
        del row["corrects"]  # an annotation says that
        self._upsert(t.utterances, utterance.id, {**row, "retired": False})

    def _spoken_of(self, recording: str) -> list[Annotation]:
        """What people left standing in a recording: there, no alignment puts its word beside."""
        mine = sa.select(t.utterances.c.id).where(t.utterances.c.recording == recording)
        rows = self._connection.execute(
            ANNOTATIONS.where(t.annotations.c.utterance.in_(mine))
        ).mappings()
        return [
            said
            for said in newest_annotations(rows).values()
            if said.verdict in (Verdict.RIGHT, Verdict.CORRECTED)
        ]

    def _annotation(self, annotation: Annotation) -> None:
        c = t.annotations.c
        if annotation.origin:
            begun = (c.origin == annotation.origin, c.verdict == Verdict.DRAFT.value)
            mine = (c.annotator == annotation.annotator, c.utterance == annotation.utterance)
            self._delete(t.annotations, sa.and_(*begun, *mine))
        self._upsert(t.annotations, annotation.id, row_of(annotation))
        if annotation.verdict in (Verdict.RIGHT, Verdict.CORRECTED):
            self._bring_back(annotation)

    def _bring_back(self, annotation: Annotation) -> None:
        """What was aligned anew while a person worked at it speaks again, in place of the new."""
        c = t.utterances.c
        mine = sa.and_(c.id == annotation.utterance, c.retired)
        recording = self._connection.scalar(sa.select(c.recording).where(mine))
        if recording is None:
            return
        others = sa.select(t.utterances).where(
            c.recording == recording,
            ~c.retired,
            c.id.not_in(sa.select(t.annotations.c.utterance)),
        )
        rows = self._connection.execute(others).mappings().all()
        covered = [row["id"] for row in rows if _same_stretch(utterance_of(row), annotation)]
        hidden = sa.update(t.utterances).where(c.id.in_(covered)).values(retired=True)
        self._connection.execute(hidden)
        self._connection.execute(sa.update(t.utterances).where(mine).values(retired=False))

    def _description(self, description: Description) -> None:
        self._upsert(t.descriptions, description.id, row_of(description))

    def _release(self, release: Release) -> None:
        row = {"name": release.name, "made": release.made}
        links = t.releases_utterances
        self._connection.execute(sa.delete(links).where(links.c.release == release.name))
        self._replace(t.releases, {"name": release.name}, row)
        self._insert(links, [{"release": release.name, **row_of(u)} for u in release.utterances])


def _same_stretch(utterance: Utterance, said: Annotation) -> bool:
    """Whether they share more than half of the shorter one."""
    shared = min(utterance.end, said.end) - max(utterance.start, said.start)
    return shared > min(utterance.duration, said.end - said.start) / 2
