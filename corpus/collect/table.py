"""A table of recordings: the CSV that many researchers already have, one row a recording.

Columns: song, author, album, year, link, transcription, palo, region, sex (and
title, artist or singer, rights); all others are kept as extra fields.  `link`
is a URL or a path, relative to the table.  In TOML each is a [[recording]].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from corpus.collect.base import Found, Network, Wanted, file_inputs, is_file, printable
from corpus.collect.web import is_link
from corpus.records import content_id
from corpus.tabular import read_rows, read_toml_rows
from corpus.text import fold

__all__ = ["collector"]

# The "author" of a song is, to makers of such tables, who sings it, unless a singer stands there.
_COLUMNS = {
    "song": "title",
    "title": "title",
    "titulo": "title",
    "cancion": "title",
    "author": "author",
    "autor": "author",
    "artist": "artist",
    "artista": "artist",
    "singer": "artist",
    "cantaor": "artist",
    "album": "album",
    "year": "year",
    "ano": "year",
    "año": "year",
    "palo": "palo",
    "region": "region",
    "sex": "sex",
    "sexo": "sex",
    "rights": "rights",
    "license": "rights",
    "licence": "rights",
    "licencia": "rights",
    "link": "link",
    "url": "link",
    "file": "link",
    "file name": "link",
    "path": "link",
    "enlace": "link",
    "transcription": "transcription",
    "transcripcion": "transcription",
    "text": "transcription",
    "letra": "transcription",
}


class TableCollector:
    """Takes the rows of a CSV or TSV that has a column for the link, or of a TOML."""

    name = "table"

    def accepts(self, source: str) -> bool:
        """Whether the source is a file named as a table."""
        return "://" not in source and Path(source).suffix.lower() in {".csv", ".tsv", ".toml"}

    def find(self, source: str, wanted: Wanted, network: Network) -> Iterable[Found]:  # noqa: ARG002  # for links
        """One recording a row; a row without a link is told as a problem of that row."""
        path = Path(source).absolute()
        rows = read_toml_rows(path) if path.suffix.lower() == ".toml" else read_rows(path)
        return [_found(path, number, row) for number, row in rows]


def _found(table: Path, number: int, row: Mapping[str, str]) -> Found:
    fields: dict[str, str] = {}
    extra: list[tuple[str, str]] = []
    for column, value in row.items():
        name = _COLUMNS.get(fold(column))
        if not value:
            continue
        if name is None or name in fields:
            extra.append((column, value))
        else:
            fields[name] = value
    link, transcription = fields.pop("link", ""), fields.pop("transcription", "")
    fields.setdefault("artist", fields.get("author", ""))
    location = link if is_link(link) else str(table.parent / link)
    problem = _problem(link, location)
    return Found(
        key=f"{printable(str(table))}:{number}",
        inputs=content_id(*(f"{k}={v}" for k, v in row.items()), _stamp(location)),
        location=location,
        given=tuple(sorted((k, v) for k, v in fields.items() if v)),
        extra=tuple(extra),
        transcription=transcription,
        problem=problem,
    )


def _stamp(location: str) -> str:
    return "" if is_link(location) else file_inputs(Path(location))


def _problem(link: str, location: str) -> str:
    if not link:
        return "the row has no link: name a file or a URL in the column 'link'"
    if not is_link(link) and not is_file(Path(location)):
        return f"there is no file {location}: the column 'link' is relative to the table"
    return ""


collector = TableCollector()
