"""What a release without sound tells of its recordings, so that copies of them can be found.

For each recording its length, a Chromaprint of its first minute, and the course of its level:
enough to know a copy and where it begins, and nothing that could be heard.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.errors import PublishError
from corpus.fingerprints import fingerprint
from corpus.media import Media
from corpus.publish.copies import Level, level_of

__all__ = ["POINTERS", "Pointer", "copy_pointers", "read_pointers", "write_pointers"]

POINTERS = "pointers/recordings.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A recording as it is known without its sound; `code` is its fingerprint, "" if too short."""

    recording: str
    code: bytes
    level: Level


def write_pointers(folder: Path, media: Media, recordings: Iterable[str]) -> None:
    """Write what tells the recordings of a release; raises MediaError where audio is missing."""
    _write(
        folder,
        (
            Pointer(
                recording=id_,
                code=fingerprint(media.flac(id_)),
                level=level_of(media.samples(id_)),
            )
            for id_ in recordings
        ),
    )


def copy_pointers(folder: Path, copy: Path, recordings: Collection[str]) -> None:
    """Write those of some recordings of a release into another; raises PublishError as reading."""
    _write(copy, (one for one in read_pointers(folder) if one.recording in recordings))


def _write(folder: Path, pointers: Iterable[Pointer]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("recording", pa.string()), ("code", pa.binary()), ("level", pa.binary())])
    path = folder / POINTERS
    path.parent.mkdir()
    with pq.ParquetWriter(path, schema) as writer:
        for one in pointers:
            level = zlib.compress(one.level.tobytes(), 9)
            row = {"recording": one.recording, "code": one.code, "level": level}
            writer.write_table(pa.Table.from_pylist([row], schema=schema))


def read_pointers(folder: Path) -> Iterator[Pointer]:
    """The recordings of a release without sound; raises PublishError where it tells of none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / POINTERS
    if not path.is_file():
        raise PublishError(
            f"{folder} does not tell how its recordings are known: it has its sound, or lacks files"
        )
    try:
        with pq.ParquetFile(path) as opened:
            for batch in opened.iter_batches(100):
                for row in batch.to_pylist():
                    level = np.frombuffer(zlib.decompress(row["level"]), np.uint8)
                    yield Pointer(recording=row["recording"], code=row["code"], level=level)
    except (OSError, pa.ArrowException, zlib.error, KeyError, TypeError) as error:
        raise PublishError(f"{path} cannot be read: {error}") from error
