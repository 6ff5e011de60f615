"""The rows of a store as files of JSON lines, one a table, and back into an empty store.

The files do not depend on the kind of database: what is written from SQLite can be read into
PostgreSQL, and the other way round.  The same rows give the same bytes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from corpus import tables as t
from corpus.database import Database
from corpus.errors import BackupError
from corpus.records import names_audio
from corpus.whole import writing

__all__ = ["Step", "dump", "load", "nothing"]

Step = Callable[[str, int, int], None]
"""Is told of progress: what is done, how much of it, of how much."""

_BATCH = 1000
_LEVEL = 3
"""Of gzip: half the time of its usual 6, for a tenth more bytes."""


def nothing(_what: str, _done: int, _total: int) -> None:
    """Pay no attention to progress."""


def dump(connection: sa.Connection, folder: Path, step: Step = nothing) -> dict[str, int]:
    """Write each table to NAME.jsonl.gz in a folder, in the order of its keys; rows by table.

    The connection is one of `Store.snapshot`, so that all tables are of one moment.  Raises
    DiskFullError without room.
    """
    counts = {}
    tables = t.metadata.sorted_tables
    for k, table in enumerate(tables):
        step("rows", k, len(tables))
        counts[table.name] = _write(connection, table, folder / f"{table.name}.jsonl.gz")
    step("rows", len(tables), len(tables))
    return counts


def _write(connection: sa.Connection, table: sa.Table, path: Path) -> int:
    n_rows = 0
    query = sa.select(table).order_by(*_keys(connection, table))
    rows = connection.execute(query, execution_options={"yield_per": _BATCH}).mappings()
    # No time and no name in the head of the file: the same rows give the same bytes.
    with (
        writing(path) as scratch,
        scratch.open("wb") as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as out,
    ):
        for row in rows:
            line = json.dumps(dict(row), ensure_ascii=False, default=_as_text)
            out.write(line.encode("utf-8", "surrogatepass") + b"\n")
            n_rows += 1
    return n_rows


def _keys(connection: sa.Connection, table: sa.Table) -> Iterator[sa.ColumnElement[Any]]:
    """What a table is ordered by: the bytes of its keys, not what a language makes of letters."""
    for column in table.primary_key.columns:
        text = isinstance(column.type, sa.String) and connection.dialect.name == "postgresql"
        yield sa.collate(column, "C") if text else column


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    raise TypeError(f"no column holds {type(value).__name__}")


def load(
    database: Database,
    files: Mapping[str, Path],
    counts: Mapping[str, int],
    revision: str,
    step: Step = nothing,
) -> None:
    """Fill an empty database with the files of `dump`, by table; all of it or nothing.

    The rows are those of a store of this revision, and brought to the newest.  Raises
    StoreError where the database is not empty, BackupError where a file is not what it should be.
    """
    with database.filling(revision) as connection:
        # As they were then: the tables of this code may have columns that came later.
        found = sa.MetaData()
        found.reflect(connection)
        tables = [table for table in found.sorted_tables if table.name in files]
        if len(tables) < len(files):
            unknown = min(set(files) - {table.name for table in tables})
            raise BackupError(f"the backup has a table '{unknown}', which no store of it has")
        for k, table in enumerate(tables):
            step("rows", k, len(tables))
            _fill(connection, table, files[table.name], counts[table.name])
        step("rows", len(tables), len(tables))


def _fill(connection: sa.Connection, table: sa.Table, path: Path, n_rows: int) -> None:
    binary = [c.name for c in table.columns if isinstance(c.type, sa.LargeBinary)]
    rows, n_filled = _rows(path, table, binary), 0
    while batch := list(islice(rows, _BATCH)):
        connection.execute(sa.insert(table), batch)
        n_filled += len(batch)
    if n_filled != n_rows:
        raise BackupError(f"{table.name} of the backup has {n_filled} rows, not {n_rows}")


def _rows(path: Path, table: sa.Table, binary: Iterable[str]) -> Iterator[dict[str, Any]]:
    columns = {column.name for column in table.columns}
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                row = json.loads(line.decode("utf-8", "surrogatepass"))
                if not isinstance(row, dict) or row.keys() != columns:
                    raise BackupError(f"a row of {table.name} in the backup has other columns")
                if table.name == t.recordings.name and not _named(row):
                    raise BackupError(
                        "a recording of the backup has an id or a suffix that is none"
                    )
                yield row | {name: b64decode(row[name]) for name in binary}
    except (OSError, EOFError, ValueError, TypeError, RecursionError, zlib.error) as error:
        raise BackupError(f"{table.name} of the backup cannot be read: {error}") from error


def _named(row: Mapping[str, Any]) -> bool:
    """Whether a recording can be named so: its files are looked for, and removed, by that."""
    id_, suffix = row["id"], row["suffix"]
    return isinstance(id_, str) and isinstance(suffix, str) and names_audio(id_, suffix)
