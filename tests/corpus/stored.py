"""A few records of every kind, saved and read back: what the tests of the store share."""

from __future__ import annotations

import sqlalchemy as sa

from corpus import tables
from corpus.records import (
    Annotation,
    Decision,
    Draft,
    Match,
    MatchedVerse,
    Release,
    ReleasedUtterance,
    Segment,
    Utterance,
    Verdict,
    Word,
)
from corpus.rows import AlignedRecording, Record
from corpus.store import Store
from tests.corpus.made import recording, utterance, verse

CINTA = recording("cinta", artist="La Niña")
COPLA = verse("Por la calle abajo", "va la que yo quiero", source="letra", title="Tientos")
FIRST = utterance(CINTA, "por la calle\nabajo", 1.0)
SECOND = utterance(CINTA, "va la que yo quiero", 3.0)
MATCH = Match(
    recording=CINTA.id,
    verses=(MatchedVerse(verse=COPLA.id, score=0.9, reason="text 0.90", start=1.25),),
    decision=Decision.ACCEPTED,
)
DRAFT = Draft(
    recording=CINTA.id, model="base", segments=(Segment(text="po la caye", start=1.0, end=2.5),)
)
ALIGNED = AlignedRecording(recording=CINTA.id, utterances=(FIRST, SECOND))
RELEASE = Release(
    name="uno",
    made="2026-01-02T00:00:00+00:00",
    utterances=(ReleasedUtterance(utterance=FIRST.id, split="train"),),
)


def said(
    of: Utterance, made: str, *, verdict: Verdict = Verdict.CORRECTED, text: str = "ay"
) -> Annotation:
    words = tuple(
        Word(text=word, start=of.start + i / 10, end=of.start + i / 10 + 0.1)
        for i, word in enumerate(text.split())
    )
    return Annotation(
        utterance=of.id,
        annotator="ana",
        made=made,
        verdict=verdict,
        text=text,
        start=of.start,
        end=of.end,
        words=words,
    )


SAID = said(FIRST, "2026-01-01T00:00:00+00:00", text="por la calle")
EVERYTHING: tuple[Record, ...] = (CINTA, COPLA, DRAFT, MATCH, ALIGNED, SAID, RELEASE)


def save(store: Store, *records: Record) -> None:
    with store.transaction() as transaction:
        transaction.save(records)


def dump(store: Store) -> dict[str, list[str]]:
    """Every row of every table."""
    with store.snapshot() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in tables.metadata.sorted_tables
        }
