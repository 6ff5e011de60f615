"""Tables as people have them: CSV or TSV, any encoding, any delimiter."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from corpus.errors import TableError
from corpus.text import clean, decode, is_binary
from corpus.toml import loads

__all__ = ["read_rows", "read_toml_rows", "write_rows"]

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""How a cell begins that a spreadsheet would work out: OWASP, CSV injection.

https://owasp.org/www-community/attacks/CSV_Injection.  What has the apostrophe already gets another
one, so that it can be told which was there before.
"""

_HEADER = 2000
"""Letters of a header that tell the delimiter: on a very long one the sniffer takes hours."""

_SPARE = "more"
"""The column for cells that stand beyond the last one named in the header."""


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV or TSV, any encoding and delimiter, each with its number; empty ones go.

    The header is row 1.  Raises TableError when there is no table in the file.
    """
    text = decode(_bytes(path))
    csv.field_size_limit(1 << 24)  # a transcription of a whole side is longer than the default
    try:
        header = text[:_HEADER].split("\n", 1)[0]
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(header, ",;\t|")
    except csv.Error:
        dialect = "excel"
    lines = io.StringIO(text, newline="")
    reader = csv.DictReader(lines, dialect=_quoted(dialect), restkey=_SPARE)
    try:
        rows = [(number, _named(row)) for number, row in enumerate(reader, start=2)]
    except csv.Error as error:
        raise TableError(f"{path}, near line {reader.line_num}: {error}") from error
    rows = [(number, row) for number, row in rows if any(row.values())]
    if not rows:
        raise TableError(f"{path} has no rows: a header line and a line for each are looked for")
    return rows


def read_toml_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The tables [[recording]] of a TOML, each with its number, from 1.

    Raises TableError when there are none, or one holds what is no text and no number.
    """
    try:
        found = loads(decode(_bytes(path)))
    except ValueError as error:
        raise TableError(f"{path} cannot be read: {error}") from error
    rows = found.get("recording")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TableError(f"{path} has no rows: [[recording]] is looked for, with a link in each")
    return [(number, _plain(path, number, row)) for number, row in enumerate(rows, start=1)]


def _plain(path: Path, number: int, row: Mapping[str, object]) -> dict[str, str]:
    wrong = next((k for k, v in row.items() if not _is_plain(v)), None)
    if wrong is not None:
        raise TableError(f"{path}, recording {number}: '{wrong}' is no text and no number")
    return {clean(name): clean(str(value)) for name, value in row.items()}


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV of which a spreadsheet works nothing out; `read_rows` gives the texts back.

    Raises OSError where the disk refuses.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_harmless(name) for name in columns)
        for row in rows:
            writer.writerow(_harmless(value) for value in row)


def _harmless(value: object) -> object:
    """What would be taken for a formula as text; numbers are numbers."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _restored(cell: str) -> str:
    """A cell as it was before `_harmless`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _is_plain(value: object) -> bool:
    # Hexadecimal numbers may be longer than Python writes out.
    small = isinstance(value, int) and abs(value) < 1 << 64
    return small or isinstance(value, str | float)


def _quoted(dialect: type[csv.Dialect] | str) -> type[csv.Dialect] | str:
    # The sniffer sees the header only, and there no quotes: transcriptions below it have them.
    if isinstance(dialect, str):
        return dialect
    return type("Sniffed", (csv.excel,), {"delimiter": dialect.delimiter})


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    if is_binary(data):
        raise TableError(f"{path} is no text: save the spreadsheet as CSV")
    return data


def _named(row: Mapping[str, str | list[str] | None]) -> dict[str, str]:
    named: dict[str, str] = {}
    for column, value in row.items():
        cells = [_restored(cell) for cell in (value if isinstance(value, list) else [value or ""])]
        named[clean(column)] = " / ".join(cell for cell in map(clean, cells) if cell)
    return named
