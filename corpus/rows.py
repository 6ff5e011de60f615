"""Records as rows of the database and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from corpus import tables as t
from corpus.records import (
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
    Verse,
)

__all__ = [
    "ANNOTATIONS",
    "AlignedRecording",
    "Amended",
    "Done",
    "Record",
    "adapter",
    "newest_annotations",
    "record_of",
    "row_of",
    "utterance_of",
]

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedRecording:
    """All utterances of one recording, which take the place of those it had."""

    recording: str
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """A recording of which more is known: what differs is saved, and nothing else is touched.

    So what another command notes of it at the same time stays.
    """

    before: Recording
    after: Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one item of one stage."""

    stage: str
    item: str
    inputs: str
    state: str  # "done" or "failed"
    note: str
    at: str  # ISO 8601, UTC


Record = (
    Recording
    | Amended
    | Features
    | Fingerprint
    | Verse
    | Variant
    | Draft
    | Match
    | AlignedRecording
    | Annotation
    | Description
    | Release
    | Tombstone
    | Utterance
)

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """What checks values that are to be of a kind."""
    # Building one is slow, and there is one for every row.
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def row_of(record: Any) -> dict[str, Any]:
    """A record as plain values, tuples as lists, enumerations as their values."""
    dumped: dict[str, Any] = adapter(type(record)).dump_python(record, mode="json")
    return dumped


def utterance_of(row: Mapping[Any, Any]) -> Utterance:
    """An utterance; one that a person put there goes by the id that it was given then."""
    utterance = record_of(Utterance, row)
    return utterance if utterance.id == row["id"] else replace(utterance, corrects=row["id"])


def record_of(kind: type[R], row: Mapping[Any, Any]) -> R:
    """The record of a kind that a row holds, checked."""
    fields = {key: row[key] for key in row if key in kind.__dataclass_fields__}  # type: ignore[attr-defined]  # kinds are dataclasses; TypeVar cannot say so
    made: R = adapter(kind).validate_python(fields)
    return made


# The id decides between two of the same second, so that every reading gives the same.
ANNOTATIONS = sa.select(t.annotations).order_by(t.annotations.c.made, t.annotations.c.id)


def newest_annotations(rows: Iterable[sa.RowMapping]) -> dict[str, Annotation]:
    """The annotation that speaks, by utterance; the rows are those of ANNOTATIONS."""
    said = (record_of(Annotation, row) for row in rows)
    return {one.utterance: one for one in said if one.verdict.decides}
