"""WebDataset: tar archives with a clip, its text and a JSON of the rest for each utterance.

https://github.com/webdataset/webdataset
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from corpus.publish.formats.base import Clip, Part, Row, as_line, clip_of, rest_of

__all__ = ["exporter"]

_SPLITS = {"validation": "val"}
_LARGEST = 500_000_000
"""Bytes of sound in an archive, about."""


class WebDataset:
    """Some archives a split."""

    name = "webdataset"
    needs_sound = True

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # there are no paths in it
        """<split>-000000.tar and so on."""
        from webdataset import TarWriter

        split = _SPLITS.get(part.split, part.split)
        for number, numbered in groupby(_numbered(part.rows), key=lambda found: found[0]):
            path = folder / f"{split}-{number:06d}.tar"
            with path.open("wb") as file, TarWriter(file, mtime=0) as archive:
                for _, row, clip in numbered:
                    archive.write(
                        {
                            "__key__": clip.name,
                            clip.suffix[1:]: clip.data,
                            "txt": row["text"],
                            "json": as_line(rest_of(row)),
                        }
                    )


def _numbered(rows: Iterable[Row]) -> Iterator[tuple[int, Row, Clip]]:
    """Rows with the number of the archive that each goes into."""
    number = n_bytes = 0
    for row in rows:
        clip = clip_of(row)
        if n_bytes >= _LARGEST:
            number, n_bytes = number + 1, 0
        n_bytes += len(clip.data)
        yield number, row, clip


exporter = WebDataset()
