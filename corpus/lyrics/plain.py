"""Plain text: stanzas parted by blank lines; the file's name is the title."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from corpus.lyrics.base import Flaw, Letra, letra_from, read_text
from corpus.text import clean

__all__ = ["source"]


class PlainText:
    """One letra a file."""

    suffixes = frozenset({".txt"})

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letra; raises LyricsError when the file is no text."""
        artist, dash, title = clean(path.stem).partition(" - ")
        if not dash:
            artist, title = "", artist
        text = read_text(path)
        return [letra_from("", text, title=title.strip(), artist=artist.strip())]


source = PlainText()
