"""The files of a release: utterances become rows, recordings together, in files whose ends stay.

The same utterances, audio and options give the same bytes, file by file; a change in one
recording changes one file.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from corpus.media import Media
from corpus.publish.clips import Codec, clips
from corpus.publish.columns import About, features, row
from corpus.publish.divide import SPLITS
from corpus.records import Utterance
from corpus.run import n_cores, workers

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

P = TypeVar("P")
T = TypeVar("T")
Track = Callable[[Sequence[str]], Iterable[str]]


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


def write_rows(folder: Path, wares: Wares, track: Track) -> None:
    """Write the files of rows into an empty folder; raises MediaError when audio is missing."""
    with workers(n_cores()) as pool:
        for name, shard in _shards(wares, track):
            write_shard(folder / name, _rows(pool, wares, shard))


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
    pool: ThreadPoolExecutor, wares: Wares, shard: Sequence[Sequence[Utterance]]
) -> Iterator[dict[str, Any]]:
    codec = wares.codec

    def of_one(mine: Sequence[Utterance]) -> list[dict[str, Any]]:
        if codec is None:
            return [row(one, wares.about, None, "") for one in mine]
        sound = clips(wares.media, mine, codec)
        pairs = zip(mine, sound, strict=True)
        return [row(one, wares.about, clip, codec.value) for one, clip in pairs]

    for rows in _ahead(pool, of_one, shard):
        yield from rows


def _ahead(
    pool: ThreadPoolExecutor, step: Callable[[P], T], items: Iterable[P], n_ahead: int = 4
) -> Iterator[T]:
    """What a step gives for each item, in order; a few are worked at beforehand."""
    waiting: deque[Future[T]] = deque()
    for item in items:
        waiting.append(pool.submit(step, item))
        if len(waiting) > n_ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def write_shard(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows, each with all `features`, a group of them at a time."""
    schema = features().arrow_schema
    groups = groupby(enumerate(rows), key=lambda numbered: numbered[0] // _ROWS)
    tables = (_table([one for _, one in batch], schema) for _, batch in groups)
    write_table(path, schema, tables)


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


def _leaves(schema: Any) -> list[str]:
    """The columns as Parquet has them, those of nested ones by their paths."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pa.BufferOutputStream() as sink:
        pq.write_table(schema.empty_table(), sink)
        columns = pq.ParquetFile(pa.BufferReader(sink.getvalue())).schema
    return [columns.column(k).path for k in range(len(columns))]
