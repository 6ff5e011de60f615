"""Whether every row of a store can be read, and what it names is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from corpus import tables as t
from corpus.care.problem import Problem
from corpus.records import Annotation, Description, Draft, Features, Match, Recording, Tombstone
from corpus.rows import record_of, utterance_of

__all__ = ["row_problems"]

_BATCH = 1000
_SHOWN = 12  # digits of an id, as everywhere

_OLDER = "bring back a backup: `corpus restore BACKUP FOLDER`"
_LETRAS = f"take its letra in again: `corpus lyrics`; or {_OLDER}"
_READ_AS: dict[str, type[Any]] = {
    "annotations": Annotation,
    "descriptions": Description,
    "drafts": Draft,
    "features": Features,
    "matches": Match,
    "recordings": Recording,
    "tombstones": Tombstone,
}


def row_problems(connection: sa.Connection, *, quick: bool = False) -> Iterator[Problem]:
    """All that is wrong with rows; the connection is one of `Store.snapshot`.

    With `quick`, SQLite compares no index with its table.
    """
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        yield from _damage(connection, "quick_check" if quick else "integrity_check")
    for table in t.metadata.sorted_tables:
        for key in table.foreign_keys:
            yield from _dangling(connection, table, key.parent, key.column, _OLDER)
        if sqlite:
            yield from _no_json(connection, table)
        yield from _unread(connection, table, sqlite=sqlite)
    yield from _unkept(connection)
    yield from _unsung(connection, sqlite=sqlite)


def _damage(connection: sa.Connection, pragma: str) -> Iterator[Problem]:
    """What SQLite finds wrong with its file: https://sqlite.org/pragma.html#pragma_integrity_check."""
    for (says,) in connection.exec_driver_sql(f"PRAGMA {pragma}(20)"):
        if says != "ok":
            yield Problem(place="store", item="the database", says=str(says), mend=_OLDER)


def _name(table: sa.Table, row: Mapping[Any, Any]) -> str:
    """A row as people can find it: its table and key."""
    key = ", ".join(str(row[c.name])[:_SHOWN] for c in table.primary_key.columns)
    return f"{table.name} {key}"


def _dangling(
    connection: sa.Connection,
    table: sa.Table,
    names: sa.Column[Any],
    named: sa.Column[Any],
    mend: str,
) -> Iterator[Problem]:
    """Rows that name one which is not there; an empty name names nothing."""
    # Under another name: a recording names a recording.
    there = sa.alias(named.table)
    found = sa.exists().where(there.c[named.name] == names)
    query = sa.select(*table.primary_key.columns, names.label("names_")).where(names != "", ~found)
    for row in connection.execute(query).mappings():
        says = f"{names.name} {str(row['names_'])[:_SHOWN]} is not in {named.table.name}"
        yield Problem(place="row", item=_name(table, row), says=says, mend=mend)


def _no_json(connection: sa.Connection, table: sa.Table) -> Iterator[Problem]:
    """Values that SQLite keeps as text and that are no JSON: no query that gets them would end."""
    for column in _json_columns(table):
        bad = sa.func.json_valid(column) == 0
        for row in connection.execute(sa.select(*table.primary_key.columns).where(bad)).mappings():
            says = f"{column.name} is no JSON"
            yield Problem(place="row", item=_name(table, row), says=says, mend=_OLDER)


def _json_columns(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, sa.JSON)]


def _rows(
    connection: sa.Connection, table: sa.Table, *, sqlite: bool
) -> Iterator[Mapping[Any, Any]]:
    query = sa.select(table)
    if sqlite:
        query = query.where(*(sa.func.json_valid(one) == 1 for one in _json_columns(table)))
    yield from connection.execute(query, execution_options={"yield_per": _BATCH}).mappings()


def _unread(connection: sa.Connection, table: sa.Table, *, sqlite: bool) -> Iterator[Problem]:
    """Rows that make no record: a time that cannot be, words that are not those of the text."""
    kind = _READ_AS.get(table.name)
    if kind is None and table is not t.utterances:
        return
    for row in _rows(connection, table, sqlite=sqlite):
        try:
            utterance_of(row) if kind is None else record_of(kind, row)
        except ValidationError as error:
            first = error.errors()[0]
            says = f"cannot be read: {' '.join(map(str, (*first['loc'], first['msg'])))}"
            yield Problem(place="row", item=_name(table, row), says=says, mend=_OLDER)


def _unkept(connection: sa.Connection) -> Iterator[Problem]:
    """What rows name otherwise than by a key that the database keeps."""
    c, verses = t.recordings.c, t.verses.c.id
    yield from _dangling(connection, t.utterances, t.utterances.c.verse, verses, _LETRAS)
    sides = "take the side in again: `corpus collect`, then `corpus sides`"
    yield from _dangling(connection, t.recordings, c.part_of, c.id, sides)
    yield from _dangling(connection, t.recordings, c.master, c.id, "run `corpus duplicates`")
    placed = sa.exists().where(t.verse_sources.c.verse == verses)
    for id_ in connection.scalars(sa.select(verses).where(~placed)):
        says = "it is said nowhere where the verse was found"
        yield Problem(place="row", item=f"verses {id_[:_SHOWN]}", says=says, mend=_LETRAS)
    buried = sa.select(t.tombstones.c.recording).join_from(
        t.tombstones, t.recordings, t.tombstones.c.recording == c.id
    )
    for id_ in connection.scalars(buried):
        mend = f"purge it again: `corpus purge --recording {id_[:_SHOWN]}`"
        says = "it was purged, and is there"
        yield Problem(place="row", item=f"recordings {id_[:_SHOWN]}", says=says, mend=mend)


def _unsung(connection: sa.Connection, *, sqlite: bool) -> Iterator[Problem]:
    """Matches that name a verse which is not there."""
    there = set(connection.scalars(sa.select(t.verses.c.id)))
    for row in _rows(connection, t.matches, sqlite=sqlite):
        verses = row["verses"] if isinstance(row["verses"], list) else []
        gone = [one["verse"] for one in verses if one.get("verse") not in there]
        for id_ in gone:
            says = f"verse {id_[:_SHOWN]} is not in verses"
            yield Problem(place="row", item=_name(t.matches, row), says=says, mend=_LETRAS)
