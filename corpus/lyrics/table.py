"""CSV and TSV: one letra a row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from corpus.lyrics.base import Flaw, Letra
from corpus.lyrics.fields import letra_of
from corpus.tabular import read_rows

__all__ = ["source"]


class Table:
    """One letra a row: a column for the text, and what others there are."""

    suffixes = frozenset({".csv", ".tsv"})

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letras; raises TableError when there is no table."""
        return [letra_of(str(number), row) for number, row in read_rows(path)]


source = Table()
