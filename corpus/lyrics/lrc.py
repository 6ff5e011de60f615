"""LRC: lines with times, [ti:] and [ar:]; a timed line without words parts stanzas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from corpus.errors import LyricsError
from corpus.lyrics.base import Flaw, Letra, read_text
from corpus.text import clean, stanzas

__all__ = ["source"]

_TIME = re.compile(r"[\[<]\d{1,3}:\d{2}(?:[.:]\d{1,3})?[\]>]")
_TAG = re.compile(r"^\s*\[([a-z#]+):(.*)\]\s*$", re.IGNORECASE)


class Lrc:
    """One letra a file; the times are left out here: alignment finds its own."""

    suffixes = frozenset({".lrc"})

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letra; raises LyricsError when it has no words."""
        tags: dict[str, str] = {}
        lines: list[str] = []
        for line in read_text(path).split("\n"):
            tag = _TAG.match(line)
            if tag:
                tags[tag[1].lower()] = clean(tag[2])
            else:
                lines.append(" ".join(_TIME.sub(" ", line).split()))
        found = stanzas("\n".join(lines))
        if not found:
            raise LyricsError("a letra with no words")
        title = tags.get("ti") or clean(path.stem)
        return [Letra(part="", stanzas=found, title=title, artist=tags.get("ar", ""))]


source = Lrc()
