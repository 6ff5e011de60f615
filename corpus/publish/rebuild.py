"""A release without sound and somebody's own copies of its recordings become one with sound.

Copies are known by their fingerprints, whatever their names, encodings, levels and trims; the
course of the level tells where each begins.  Another performance is no copy.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from corpus.collect.files import AUDIO_SUFFIXES
from corpus.engine import Here, in_order
from corpus.errors import MediaError, PublishError
from corpus.fingerprints import fingerprint, same_master
from corpus.media import SAMPLE_RATE, Samples, decoded_copy, flac_bytes
from corpus.publish.clips import Codec, coded
from corpus.publish.copies import Placing, level_of, placing
from corpus.publish.folder import check_free, data_files, making, read_manifest
from corpus.publish.pointers import Pointer, read_pointers
from corpus.publish.release import finish
from corpus.publish.shards import write_shard
from corpus.records import content_id
from corpus.run import n_cores
from corpus.tabular import write_rows
from corpus.whole import writing

__all__ = ["MISSING", "Lost", "Rebuilt", "rebuild"]

MISSING = "missing.csv"

NO_COPY, OTHER_VERSION, OTHER_PART = (
    "no copy was found",
    "only another version was found",
    "the copy has another edit there, or does not reach so far",
)

Track = Callable[[Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A recording of which utterances are missing: how many, and why."""

    recording: str
    title: str
    singer: str
    album: str
    year: int | None
    source: str
    utterances: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was rebuilt: utterances by split, and what is missing."""

    name: str
    folder: str
    rows: Mapping[str, int]
    missing: tuple[Lost, ...]
    unreadable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Copy:
    """A file that is a recording, and how it lies beside it."""

    path: Path
    placing: Placing


def rebuild(
    release: Path, media: Path, folder: Path, *, codec: Codec = Codec.FLAC, track: Track = iter
) -> Rebuilt:
    """Cut the utterances of a release without sound out of the copies below `media`.

    Writes a release with sound into `folder`, which must not be there yet, and a table of what
    is missing in it.  Raises PublishError where the release is none, or nothing of it was found.
    """
    import pyarrow.parquet as pq

    check_free(folder)
    told = read_manifest(release)
    pointers = {one.recording: one for one in read_pointers(release)}
    codes, unreadable = _codes(_files(media), track)
    found, other = _found(pointers, codes, track)
    lost = Counter[tuple[str, str]]()
    about: dict[str, dict[str, Any]] = {}
    with making(folder) as scratch:
        (scratch / "data").mkdir()
        for file in data_files(release):
            shard = scratch / "data" / file.name
            write_shard(shard, _filled(file, found, other, lost, about, codec))
            if not pq.read_metadata(shard).num_rows:
                shard.unlink()
        if not data_files(scratch):
            raise PublishError(f"below {media} is no copy of anything in {told.name}")
        missing = tuple(_lost(about[id_], n, why) for (id_, why), n in sorted(lost.items()))
        _write_missing(scratch / MISSING, missing)
        left_out = Counter(told.left_out)
        for (_, why), n in lost.items():
            left_out[why] += n
        changed = {"codec": codec.value, "left_out": dict(sorted(left_out.items()))}
        whole = finish(scratch, told.model_copy(update=changed))
    return Rebuilt(
        name=whole.name,
        folder=str(folder),
        rows=whole.rows,
        missing=missing,
        unreadable=unreadable,
    )


# ---- whose copies they are


def _files(media: Path) -> list[Path]:
    """Audio files, at any depth; what a link leads to outside is not looked at."""
    found = [
        Path(root) / name
        for root, _, names in os.walk(media)
        for name in sorted(names)
        if Path(name).suffix.lower() in AUDIO_SUFFIXES
    ]
    return sorted(path for path in found if not path.is_symlink())


def _codes(files: Sequence[Path], track: Track) -> tuple[dict[str, bytes], dict[str, str]]:
    """The fingerprint of each file that can be read, kept for the next time; why of the others."""
    found, unreadable = dict[str, bytes](), dict[str, str]()

    def code(path: Path) -> tuple[Path, bytes | str]:
        try:
            return path, _kept_code(path)
        except MediaError as error:
            return path, str(error)

    with Here(n_workers=n_cores()).crew(lambda: code) as crew:
        for path, told in in_order(crew, track(files)):
            if isinstance(told, str):
                unreadable[str(path)] = told
            else:
                found[str(path)] = told
    return found, unreadable


def _kept_code(path: Path) -> bytes:
    stat = path.stat()
    name = content_id("copy", str(path.resolve()), str(stat.st_size), str(stat.st_mtime_ns))
    kept = user_cache_path("cante-corpus") / "copies" / name[:2] / name
    if kept.is_file():
        return kept.read_bytes()
    code = fingerprint(path)
    with writing(kept) as scratch:
        scratch.write_bytes(code)
    return code


def _found(
    pointers: Mapping[str, Pointer], codes: Mapping[str, bytes], track: Track
) -> tuple[dict[str, _Copy], set[str]]:
    """The best copy of each recording that has one; and those of which there are others."""
    fingerprints = {id_: one.code for id_, one in pointers.items()} | dict(codes)
    masters = same_master(fingerprints, list(codes))
    of_master: dict[str, list[str]] = defaultdict(list)
    for id_ in pointers:
        of_master[masters.get(id_, id_)].append(id_)
    best: dict[str, _Copy] = {}
    other: set[str] = set()
    for name in track([name for name in codes if name in masters]):
        for id_, placed in _placings(Path(name), of_master.get(masters[name], []), pointers):
            if placed is None:
                other.add(id_)
            elif id_ not in best or _length(placed) > _length(best[id_].placing):
                best[id_] = _Copy(Path(name), placed)
    return best, other - best.keys()


def _placings(
    path: Path, recordings: Sequence[str], pointers: Mapping[str, Pointer]
) -> Iterator[tuple[str, Placing | None]]:
    if recordings:
        with decoded_copy(path) as samples:
            level = level_of(samples)
        for id_ in recordings:
            yield id_, placing(pointers[id_].level, level)


def _length(placed: Placing) -> float:
    return sum(last - first for first, last in placed.same)


# ---- cutting


def _filled(
    file: Path,
    found: Mapping[str, _Copy],
    other: set[str],
    lost: Counter[tuple[str, str]],
    about: dict[str, dict[str, Any]],
    codec: Codec,
) -> Iterator[dict[str, Any]]:
    """The rows of a file with their sound; those without are counted."""
    for id_, rows in _by_recording(file).items():
        copy = found.get(id_)
        whole = [row for row in rows if copy and copy.placing.holds(row["start"], row["end"])]
        why = OTHER_PART if copy else OTHER_VERSION if id_ in other else NO_COPY
        if len(whole) < len(rows):
            lost[id_, why] += len(rows) - len(whole)
            about[id_] = rows[0]
        if copy is None or not whole:
            continue
        with decoded_copy(copy.path) as samples:
            flacs = [flac_bytes(_cut(samples, copy.placing, row)) for row in whole]
        for row, clip in zip(whole, coded(flacs, codec), strict=True):
            sound = {"bytes": clip, "path": f"{row['id']}.{codec.value}"}
            yield {**row, "audio": sound}


def _by_recording(file: Path) -> dict[str, list[dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    try:
        for row in pq.read_table(file).to_pylist():
            rows[row["recording"]].append(row)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise PublishError(f"{file} cannot be read: {error}") from error
    return rows


def _cut(samples: Samples, placed: Placing, row: Mapping[str, Any]) -> Any:
    """The samples of an utterance at the speed of the recording, so that its words fit."""
    n_samples = max(1, round(row["end"] * SAMPLE_RATE) - round(row["start"] * SAMPLE_RATE))
    first = placed.at(row["start"]) * SAMPLE_RATE
    n_there = round(n_samples * placed.speed)
    if abs(n_there - n_samples) < 2:
        found = samples.read(max(0, round(first)), n_samples)
    else:
        there = samples.read(max(0, round(first)), n_there)
        found = np.interp(np.linspace(0, len(there) - 1, n_samples), np.arange(len(there)), there)
    return np.pad(np.asarray(found, np.float32), (0, n_samples - len(found)))


# ---- what is missing


def _lost(row: Mapping[str, Any], n_rows: int, reason: str) -> Lost:
    return Lost(
        recording=row["recording"],
        title=row["title"] or "",
        singer=row["singer"] or "",
        album=row["album"] or "",
        year=row["year"],
        source=row["source"] or "",
        utterances=n_rows,
        reason=reason,
    )


_COLUMNS = [one.name for one in fields(Lost)]


def _write_missing(path: Path, missing: Sequence[Lost]) -> None:
    write_rows(path, _COLUMNS, ([getattr(one, name) for name in _COLUMNS] for one in missing))
