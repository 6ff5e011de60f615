"""LRC: lines with times, [ti:] and [ar:]; a timed line without words parts stanzas.

Words may have times of their own, <mm:ss.xx> ("enhanced" LRC):
https://en.wikipedia.org/wiki/LRC_(file_format)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from corpus.lyrics.base import Flaw, Letra, letra_from, read_text
from corpus.text import clean

__all__ = ["TimedLine", "source", "timed_lines"]

_CLOCK = r"(\d{1,3}):(\d{2}(?:[.:]\d{1,3})?)"
_TIME = re.compile(rf"\[{_CLOCK}\]|<{_CLOCK}>")
_LINE_TIMES = re.compile(rf"\s*((?:\[{_CLOCK}\]\s*)+)(.*)")
_TAG = re.compile(r"^\s*\[([a-z#]+):(.*)\]\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """A line from `start` s on; `parts` are its words with the second each begins at.

    A line without times of words is one part; one that ends with a time has an
    empty last part; one without words has none.
    """

    start: float
    parts: tuple[tuple[float, str], ...]


def timed_lines(text: str) -> tuple[TimedLine, ...]:
    """The timed lines of an LRC in the order of time, each as often as it has times."""
    tags = {tag[1].lower(): tag[2] for tag in map(_TAG.match, text.split("\n")) if tag}
    sooner = _milliseconds(tags.get("offset", ""))
    found: list[TimedLine] = []
    for row in text.split("\n"):
        line = _LINE_TIMES.match(row)
        if line:
            starts = [_seconds(t[1], t[2], sooner) for t in _TIME.finditer(line[1])]
            found += [_timed_line(start, starts[0], line[4], sooner) for start in starts]
    return tuple(sorted(found, key=lambda line: line.start))


def _timed_line(start: float, first: float, text: str, sooner: float) -> TimedLine:
    """The line as it is sung at `start`; its words have the times of its first singing."""
    pieces = list(_TIME.finditer(text))
    ends = [piece.start() for piece in pieces[1:]] + [len(text)]
    parts = [(start, " ".join(text[: pieces[0].start() if pieces else len(text)].split()))]
    for piece, end in zip(pieces, ends, strict=False):
        at = _seconds(piece[1] or piece[3], piece[2] or piece[4], sooner) + start - first
        parts.append((at, " ".join(text[piece.end() : end].split())))
    kept = [part for k, part in enumerate(parts) if part[1] or (pieces and k == len(parts) - 1)]
    return TimedLine(start=start, parts=tuple(kept))


def _seconds(minutes: str, seconds: str, sooner: float) -> float:
    return max(0.0, int(minutes) * 60 + float(seconds.replace(":", ".")) - sooner)


def _milliseconds(text: str) -> float:
    """The tag [offset:] in seconds: by how much the words come sooner than written."""
    return int(text) / 1000 if re.fullmatch(r"\s*[+-]?\d{1,9}\s*", text) else 0.0


class Lrc:
    """One letra a file; the times are left out here: alignment finds its own."""

    suffixes = frozenset({".lrc"})

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letra; raises LyricsError when the file is no text."""
        tags: dict[str, str] = {}
        lines: list[str] = []
        for line in read_text(path).split("\n"):
            tag = _TAG.match(line)
            if tag:
                tags[tag[1].lower()] = clean(tag[2])
            else:
                lines.append(" ".join(_TIME.sub(" ", line).split()))
        title = tags.get("ti") or clean(path.stem)
        return [letra_from("", "\n".join(lines), title=title, artist=tags.get("ar", ""))]


source = Lrc()
