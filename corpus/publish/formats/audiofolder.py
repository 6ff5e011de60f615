"""AudioFolder: clips in a folder a split, and what is known of each in metadata.parquet.

https://huggingface.co/docs/datasets/audio_dataset.  CSV would make formulas of texts and lose the
words; of JSON lines, `datasets` guesses the types split by split, and refuses the folder where one
split has only empty values in a column and another has not (seen in 5.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from corpus.publish.formats.base import Part, clip_of, kept

__all__ = ["exporter"]

_METADATA = "metadata.parquet"
_ROWS = 1000
"""Rows that are written together, without their sound."""


class AudioFolder:
    """One folder a split; columns as in the release."""

    name = "audiofolder"
    needs_sound = True

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # paths are relative
        """<split>/ with metadata.parquet and the clips."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        (folder / part.split).mkdir()
        columns = [field for field in part.schema if field.name != "audio"]
        schema = pa.schema([pa.field("file_name", pa.string()), *columns])
        with pq.ParquetWriter(folder / part.split / _METADATA, schema) as writer:
            numbered = enumerate(_said(part, folder))
            for _, batch in groupby(numbered, key=lambda found: found[0] // _ROWS):
                writer.write_table(pa.Table.from_pylist([row for _, row in batch], schema=schema))


def _said(part: Part, folder: Path) -> Iterator[dict[str, Any]]:
    """What is said of each row, whose clip is written."""
    for row in part.rows:
        path = kept(clip_of(row), folder, part.split)
        yield {**row, "file_name": path.removeprefix(f"{part.split}/"), "audio": None}


exporter = AudioFolder()
