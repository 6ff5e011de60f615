"""Tables as people have them: CSV or TSV, any encoding, any delimiter."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from corpus.errors import TableError
from corpus.text import clean, decode

__all__ = ["read_rows"]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV or TSV, any encoding and delimiter; columns in lower case without accents.

    Raises TableError when there is no table in the file.
    """
    text = decode(_bytes(path))
    csv.field_size_limit(1 << 24)  # a transcription of a whole side is longer than the default
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(text.split("\n", 1)[0], ",;\t|")
    except csv.Error:
        dialect = "excel"
    reader = csv.DictReader(io.StringIO(text, newline=""), dialect=_quoted(dialect))
    rows = [_named(row) for row in reader]
    if not rows:
        raise TableError(f"{path} has no rows: a header line and a line for each are looked for")
    return rows


def _quoted(dialect: type[csv.Dialect] | str) -> type[csv.Dialect] | str:
    # The sniffer sees the header only, and there no quotes: transcriptions below it have them.
    if isinstance(dialect, str):
        return dialect
    return type("Sniffed", (csv.excel,), {"delimiter": dialect.delimiter})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error


def _named(row: Mapping[str | None, str | list[str] | None]) -> dict[str, str]:
    named: dict[str, str] = {}
    for column, value in row.items():
        if column is not None and isinstance(value, str):
            named[clean(column)] = clean(value)
    return named
