"""The files of a release: utterances become rows, recordings together, in files whose ends stay.

The same utterances, audio and options give the same bytes, file by file; a change in one
recording changes one file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby, tee
from pathlib import Path
from typing import Any

from corpus.engine import Engine, Here, in_order
from corpus.media import Media
from corpus.publish.clips import Codec, clips
from corpus.publish.columns import About, features, row
from corpus.publish.divide import SPLITS
from corpus.records import Utterance
from corpus.run import n_cores

__all__ = ["Track", "Wares", "write_rows", "write_shard", "write_table"]

_SHARDS = 96
"""Files from which on there are longer ones instead: what changes is then a small part, and the
hub takes some hundred files in one commit."""

_SHORTEST, _LONGEST = 120, 120 * 2**7
"""Seconds of sound in a file, on the mean: 2 minutes to 4 hours, 400 MB."""

_MOST = 2
"""No file has more than so many times the recordings of the mean one."""

_ROWS = 50
"""Rows of a row group, which are in memory together: at most 50 of 30 s."""

Track = Callable[[Sequence[str]], Iterable[str]]
Clips = Sequence[bytes | None]
"""The sound of utterances; None of those that go without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wares:
    """What goes into the rows: utterances, the split of each, and where their sound is.

    Without a codec no sound goes in.
    """

    utterances: Sequence[Utterance]
    split_of: Mapping[str, str]
    about: About
    media: Media
    codec: Codec | None


def write_rows(
    folder: Path, wares: Wares, track: Track, engine: Engine | None = None
) -> tuple[int, float | None]:
    """Write the files of rows into an empty folder, by clips of an engine's workers.

    Gives the number of workers and the share of their time that they worked (None: it was this
    process).  Raises MediaError when audio is missing.
    """
    engine = engine or Here(n_workers=n_cores())
    # Of a release without sound there is nothing to be cut.
    engine = engine if wares.codec else Here()
    with engine.crew(partial(_clipping, wares.media, wares.codec)) as crew:
        # What is cut goes ahead of what is written, beyond the end of a file.
        shards, ahead = tee(_shards(wares, track))
        sound = in_order(crew, (mine for _, shard in ahead for mine in shard))
        for name, shard in shards:
            write_shard(folder / name, _rows(wares, shard, sound))
        return crew.n_workers, crew.busy


def _clipping(media: Media, codec: Codec | None) -> Callable[[Sequence[Utterance]], Clips]:
    """What a worker cuts the utterances of a recording by."""
    return partial(_cut, media, codec)


def _cut(media: Media, codec: Codec | None, mine: Sequence[Utterance]) -> Clips:
    return [None] * len(mine) if codec is None else list(clips(media, mine, codec))


def _shards(wares: Wares, track: Track) -> Iterator[tuple[str, list[list[Utterance]]]]:
    """Name and recordings of each file.

    A file ends after a recording whose id says so (content-defined chunking: Muthitacharoen
    et al. 2001): what comes, goes or changes elsewhere moves no end but, where a file would
    become too long, that of the next ones until there is one again.
    """
    recordings: dict[str, list[Utterance]] = defaultdict(list)
    for one in wares.utterances:
        recordings[one.recording].append(one)
    by_split: dict[str, list[str]] = defaultdict(list)
    for id_, mine in sorted(recordings.items()):
        for split in sorted({wares.split_of[one.id] for one in mine}):
            by_split[split].append(id_)
    every = _every(sum(one.duration for one in wares.utterances), len(recordings))
    for split in SPLITS:
        ids = by_split[split]
        shard: list[list[Utterance]] = []
        for id_ in track(ids):
            shard.append([u for u in recordings[id_] if wares.split_of[u.id] == split])
            if int(id_[:8], 16) % every == 0 or len(shard) == _MOST * every:
                yield f"{split}-{id_}.parquet", shard
                shard = []
        if shard:
            yield f"{split}-last.parquet", shard


def _every(seconds: float, n_recordings: int) -> int:
    """How many recordings a file has on the mean: a power of two, so that it seldom changes."""
    if not n_recordings:
        return 1
    wanted = min(max(seconds / _SHARDS, _SHORTEST), _LONGEST) * n_recordings / max(seconds, 1.0)
    return int(2 ** max(0, round(wanted).bit_length() - 1))


def _rows(
    wares: Wares, shard: Sequence[Sequence[Utterance]], sound: Iterator[Clips]
) -> Iterator[dict[str, Any]]:
    codec = wares.codec.value if wares.codec else ""
    for mine in shard:
        for one, clip in zip(mine, next(sound), strict=True):
            yield row(one, wares.about, clip, codec)


def write_shard(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows, each with all `features`, a group of them at a time."""
    schema = _schema()
    groups = groupby(enumerate(rows), key=lambda numbered: numbered[0] // _ROWS)
    tables = (_table([one for _, one in batch], schema) for _, batch in groups)
    write_table(path, schema, tables)


@lru_cache(maxsize=1)
def _schema() -> Any:
    return features().arrow_schema


def _table(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    """The rows; their sound by itself, which is eight times as quick as in the dicts."""
    import pyarrow as pa

    at = schema.get_field_index("audio")
    field = schema.field(at)
    sound = [row["audio"] or {} for row in rows]
    parts = [pa.array([one.get(part.name) for one in sound], part.type) for part in field.type]
    none = pa.array([row["audio"] is None for row in rows])
    audio = pa.StructArray.from_arrays(parts, fields=list(field.type), mask=none)
    others = [{name: cell for name, cell in row.items() if name != "audio"} for row in rows]
    table = pa.Table.from_pylist(others, schema=schema.remove(at))
    return table.add_column(at, field, audio).replace_schema_metadata(schema.metadata)


def write_table(path: Path, schema: Any, tables: Iterable[Any]) -> None:
    """Write Arrow tables of one schema, each as a row group; empty ones are left out."""
    import pyarrow.parquet as pq

    # Sound is compressed, and no clip comes twice; what is left is small.
    coded = [name for name in _leaves(schema) if name != "audio.bytes"]
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=coded) as writer:
        for table in tables:
            if table.num_rows:
                writer.write_table(table)


@lru_cache(maxsize=8)
def _leaves(schema: Any) -> list[str]:
    """The columns as Parquet has them, those of nested ones by their paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pa.BufferOutputStream() as sink:
        pq.write_table(schema.empty_table(), sink)
        columns = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [columns.column(k).path for k in range(len(columns))]
