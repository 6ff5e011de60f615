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
from corpus.run import n_cores

__all__ = ["Track", "Wares", "write_rows", "write_shard", "write_table"]

_SHARDS = 128
"""About so many files a split at most: what changes is then a hundredth."""

_SHORTEST, _LONGEST = 600, 600 * 2**5
"""Seconds of sound in a file, on the mean: 10 minutes to 5 hours, 500 MB."""

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
    with ThreadPoolExecutor(n_cores()) as pool:
        for name, shard in _shards(wares, track):
            write_shard(folder / name, _rows(pool, wares, shard))


def _shards(wares: Wares, track: Track) -> Iterator[tuple[str, list[list[Utterance]]]]:
    """Name and recordings of each file.

    A file ends after a recording whose id says so: what comes, goes or changes elsewhere
    moves no end, so that files are the same from release to release.
    """
    recordings: dict[str, list[Utterance]] = defaultdict(list)
    for one in wares.utterances:
        recordings[one.recording].append(one)
    by_split: dict[str, list[str]] = defaultdict(list)
    for id_, mine in sorted(recordings.items()):
        for split in sorted({wares.split_of[one.id] for one in mine}):
            by_split[split].append(id_)
    for split in SPLITS:
        ids = by_split[split]
        every = _every(sum(u.duration for id_ in ids for u in recordings[id_]), len(ids))
        shard: list[list[Utterance]] = []
        for id_ in track(ids):
            shard.append([u for u in recordings[id_] if wares.split_of[u.id] == split])
            if int(id_[:8], 16) % every == 0:
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
    import pyarrow as pa

    schema = features().arrow_schema
    groups = groupby(enumerate(rows), key=lambda numbered: numbered[0] // _ROWS)
    tables = (pa.Table.from_pylist([one for _, one in batch], schema=schema) for _, batch in groups)
    write_table(path, schema, tables)


def write_table(path: Path, schema: Any, tables: Iterable[Any]) -> None:
    """Write Arrow tables of one schema, each as a row group; empty ones are left out."""
    import pyarrow.parquet as pq

    # Sound is compressed; what is left is small.
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for table in tables:
            if table.num_rows:
                writer.write_table(table)
