"""A Hugging Face dataset on disk: parquet shards with audio, written row group by row group.

Reading and writing audio through `datasets` needs torchcodec and FFmpeg's shared
libraries; the struct of bytes and path that its Audio feature is made of does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.media import SAMPLE_RATE, Media, flac_bytes
from corpus.publish.rights import rights_of_text
from corpus.records import Recording, Utterance, Verse

__all__ = ["features", "row", "write_split"]

_ROWS = 50  # in memory at a time: at most 50 x 30 s
_SHARD_BYTES = 500_000_000


def features() -> Any:
    """The columns, as `datasets.Features`."""
    from datasets import Audio, Features, Value

    text, number = Value("string"), Value("float64")
    word = {"text": text, "start": number, "end": number, "score": number}
    about = ("singer", "title", "author", "album", "palo", "region", "sex")
    return Features(
        {
            "id": text,
            "audio": Audio(sampling_rate=SAMPLE_RATE),
            "text": text,
            "kind": text,
            "recording": text,
            "verse": text,
            "start": number,
            "end": number,
            "duration": number,
            "score": number,
            "tier": text,
            "words": [word],
            **dict.fromkeys(about, text),
            "year": Value("int32"),
            "rights_audio": text,
            "rights_text": text,
            "source": text,
        }
    )


def row(
    utterance: Utterance, recording: Recording, verse: Verse | None, media: Media
) -> dict[str, Any]:
    """One row.  Times are seconds in the recording; those of words, in the clip.

    Raises MediaError when the audio is missing.
    """
    start = round(utterance.start * SAMPLE_RATE)
    n_samples = max(1, round(utterance.end * SAMPLE_RATE) - start)
    clip = media.samples(recording.id).read(start, n_samples)
    words = [
        {
            "text": word.text,
            "start": word.start - utterance.start,
            "end": word.end - utterance.start,
            "score": word.score,
        }
        for word in utterance.words
    ]
    return {
        "id": utterance.id,
        "audio": {"bytes": flac_bytes(clip), "path": f"{utterance.id}.flac"},
        "text": " ".join(utterance.text.split()),
        "kind": utterance.kind.value,
        "recording": recording.id,
        "verse": utterance.verse,
        "start": utterance.start,
        "end": utterance.end,
        "duration": utterance.duration,
        "score": utterance.score,
        "tier": utterance.tier.value,
        "words": words,
        "singer": recording.artist,
        "title": recording.title,
        "author": recording.author,
        "album": recording.album,
        "palo": recording.palo,
        "region": recording.region,
        "sex": recording.sex,
        "year": recording.year,
        "rights_audio": recording.rights,
        "rights_text": rights_of_text(verse),
        "source": recording.source if "://" in recording.source else "",
    }


def write_split(rows: Iterable[Mapping[str, Any]], folder: Path, split: str) -> int:
    """Write the rows of a split as `<split>-00000.parquet` and on; gives the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = features().arrow_schema
    batches = _batches(iter(rows))
    written, shard = 0, 0
    batch = next(batches, None)
    while batch is not None:
        path = folder / f"{split}-{shard:05d}.parquet"
        with pq.ParquetWriter(path, schema, compression="none") as writer:
            while batch is not None:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                written += len(batch)
                batch = next(batches, None)
                if path.stat().st_size > _SHARD_BYTES:
                    break
        shard += 1
    return written


def _batches(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    while batch := list(islice(rows, _ROWS)):
        yield batch
