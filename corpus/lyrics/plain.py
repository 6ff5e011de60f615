"""Plain text: stanzas parted by blank lines; the file's name is the title."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from corpus.errors import LyricsError
from corpus.lyrics.base import Flaw, Letra, read_text
from corpus.text import clean, stanzas

__all__ = ["source"]


class PlainText:
    """One letra a file."""

    suffixes = frozenset({".txt"})

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letra; raises LyricsError when it has no words."""
        found = stanzas(read_text(path))
        if not found:
            raise LyricsError("a letra with no words")
        artist, dash, title = clean(path.stem).partition(" - ")
        if not dash:
            artist, title = "", artist
        return [Letra(part="", stanzas=found, title=title.strip(), artist=artist.strip())]


source = PlainText()
