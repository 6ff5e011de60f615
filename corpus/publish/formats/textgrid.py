"""TextGrids of Praat, one a recording, with the tiers "lines" and "words"."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corpus.publish.formats.base import Part, Row
from corpus.publish.formats.recordings import end_of, lines_of, write_each
from corpus.timed_text import as_textgrid

__all__ = ["exporter"]


class TextGrid:
    """A folder a split; times are those of the recording."""

    name = "textgrid"
    needs_sound = False

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # there are no paths in it
        """<split>/<recording>.TextGrid."""
        write_each(part, folder, ".TextGrid", _render)


def _render(rows: Sequence[Row]) -> str:
    return as_textgrid(lines_of(rows), end_of(rows))


exporter = TextGrid()
