"""LRC, one file a recording: lines with the time each begins, and each word's where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corpus.publish.formats.base import Part, Row
from corpus.publish.formats.recordings import lines_of, write_each
from corpus.timed_text import as_lrc

__all__ = ["exporter"]

_TAGS = {"ti": "title", "ar": "singer", "al": "album", "au": "author"}


class Lrc:
    """A folder a split; times are those of the recording."""

    name = "lrc"
    needs_sound = False

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # there are no paths in it
        """<split>/<recording>.lrc."""
        write_each(part, folder, ".lrc", _render)


def _render(rows: Sequence[Row]) -> str:
    said = {tag: " ".join((rows[0][column] or "").split()) for tag, column in _TAGS.items()}
    head = "".join(f"[{tag}:{text}]\n" for tag, text in said.items() if text)
    return head + as_lrc(lines_of(rows), by_word=True)


exporter = Lrc()
