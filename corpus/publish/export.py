"""A release in another format: its rows are read a few at a time, its folder made whole or not."""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from corpus.errors import PublishError
from corpus.media import hash_file
from corpus.publish.divide import SPLITS
from corpus.publish.folder import CARD, Manifest, check_free, making, read_manifest, split_of
from corpus.publish.formats import Format, Part

__all__ = ["Exported", "Track", "export"]

_ROWS = 50
"""Rows that are in memory together, with their sound."""

_COLUMNS = frozenset(
    {
        *("id", "audio", "text", "start", "end", "duration", "words", "recording"),
        *("title", "singer", "author", "album", "sex"),
    }
)
"""What formats ask for by name; whatever else a row has goes with it."""

Piece = tuple[Path, int]
"""A file of rows, and a row group in it."""

Track = Callable[[Sequence[Piece]], Iterable[Piece]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written where: rows by split."""

    format: str
    folder: str
    rows: Mapping[str, int]


def export(release: Path, form: Format, folder: Path, *, track: Track = iter) -> Exported:
    """Write the release in a folder in another format, into a folder that is not there yet.

    Memory holds 50 rows at a time (and, for Kaldi, the texts of a split).  Raises PublishError
    when the release is damaged, or has no sound where the format needs it, or when `folder` is
    taken or cannot be written; it appears whole or not at all.
    """
    check_free(folder)
    told = read_manifest(release)
    if form.needs_sound and not told.codec:
        raise PublishError(
            f"{release} has no sound, which {form.name} needs: `corpus rebuild` first"
        )
    n_rows = Counter[str]()
    with making(folder) as scratch:
        for split, files in _files(release, told).items():
            schema = _schema(next(iter(files)))
            columns = [name for name in schema.names if form.needs_sound or name != "audio"]
            rows = _counted(_rows(files, columns, track), n_rows, split)
            part = Part(split=split, rows=rows, schema=schema, language=told.language)
            form.write(part, scratch.absolute(), folder.absolute())
        _copy_card(release, scratch)
    return Exported(format=form.name, folder=str(folder), rows=dict(n_rows))


def _counted(
    rows: Iterable[dict[str, Any]], n_rows: Counter[str], split: str
) -> Iterator[dict[str, Any]]:
    for row in rows:
        n_rows[split] += 1
        yield row


def _files(release: Path, told: Manifest) -> dict[str, dict[Path, str]]:
    """The files of rows by split, each with its digest as it was when the release was made."""
    found: dict[str, dict[Path, str]] = defaultdict(dict)
    for name in sorted(told.files):
        if re.fullmatch(r"data/\w+-[\w-]+\.parquet", name, re.ASCII):
            path = release / name
            if not path.is_file() or path.stat().st_size != told.files[name].bytes:
                raise PublishError(f"{path} is missing or cut short: get the release again")
            found[split_of(path)][path] = told.files[name].sha256
    if not found:
        raise PublishError(f"{release} has no rows: make the release anew")
    known = [split for split in SPLITS if split in found]
    return {split: found[split] for split in (*known, *sorted(found.keys() - set(known)))}


def _schema(path: Path) -> Any:
    """The columns of a file of rows, and of all others of its release."""
    import pyarrow.parquet as pq

    with _reading(path):
        schema = pq.read_schema(path)
    if missing := _COLUMNS.difference(schema.names):
        raise PublishError(f"{path} has no column {min(missing)}: make the release anew")
    return schema


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What is wrong with a file of rows is a PublishError, and no trouble of writing."""
    import pyarrow as pa

    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise PublishError(f"{path} cannot be read: {error}") from error


def _rows(
    files: Mapping[Path, str], columns: Sequence[str], track: Track
) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    pieces = [(path, group) for path in files for group in range(_n_groups(path))]
    for path, groups in groupby(track(pieces), key=lambda piece: piece[0]):
        if hash_file(path) != files[path]:
            raise PublishError(f"{path} is damaged: get the release again")
        with _reading(path), pq.ParquetFile(path) as opened:
            for _, group in groups:
                for batch in opened.iter_batches(_ROWS, row_groups=[group], columns=columns):
                    yield from batch.to_pylist()


def _n_groups(path: Path) -> int:
    import pyarrow.parquet as pq

    with _reading(path):
        return int(pq.read_metadata(path).num_row_groups)


def _copy_card(release: Path, folder: Path) -> None:
    """The card without its metadata, which tell of parquet files, and its pictures."""
    card = release / CARD
    if card.is_file():
        text = re.sub(
            r"\A---\n.*?\n---\n\s*", "", card.read_text("utf-8", "replace"), flags=re.DOTALL
        )
        text = re.sub(r"^!\[[^\]\n]*\]\([^)\n]*\)\n*", "", text, flags=re.MULTILINE)
        (folder / CARD).write_text(text, "utf-8")
