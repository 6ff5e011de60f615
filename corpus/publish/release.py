"""The stage: utterances of a workspace become a release: a folder that never changes, and a name.

`datasets.load_dataset` opens the folder.  The same utterances, audio and options give the
same bytes, file by file; a change in one recording changes one file.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from corpus.errors import PublishError
from corpus.media import Media, hash_file
from corpus.publish.about import about_of, strata_of
from corpus.publish.card import CardFacts, card
from corpus.publish.choose import Chosen, Wanted, choose
from corpus.publish.clips import Codec, clips
from corpus.publish.columns import About, features, row
from corpus.publish.divide import SPLITS, Divided, Row, divide, leaks
from corpus.publish.splits import groups_of
from corpus.records import Release, ReleasedUtterance, Utterance
from corpus.run import n_cores, now
from corpus.workspace import Workspace

__all__ = ["MANIFEST", "Options", "Released", "release"]

MANIFEST = "manifest.json"

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
class Options:
    """What a release is to be: shares of the seconds by split, what goes in, and how.

    `fixed_test` is an earlier release, whose test set stays; with `pointers` no sound goes in.
    """

    shares: Mapping[str, float]
    wanted: Wanted = field(default_factory=Wanted)
    codec: Codec = Codec.FLAC
    fixed_test: str = ""
    pointers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was released: rows and hours a split, what was left out and set aside, by reason."""

    name: str
    folder: str
    rows: Mapping[str, int]
    hours: Mapping[str, float]
    left_out: Mapping[str, int]
    set_aside: Mapping[str, int]


def release(
    workspace: Workspace, name: str, folder: Path, options: Options, *, track: Track = iter
) -> Released:
    """Freeze what is wanted under a name, and write it into a folder that is not there yet.

    Raises PublishError when the folder or the name is taken, or there is nothing to release,
    MediaError when audio is missing; the folder appears whole or not at all.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise PublishError(f"{folder} is taken: a release is not overwritten, name another folder")
    about = about_of(workspace)
    chosen = _chosen(workspace, about, options.wanted)
    divided = _divided(workspace, chosen, about, options)
    frozen = _frozen(workspace, name, divided)
    kept = [one for one in chosen.utterances if one.id in divided.split_of]
    facts = CardFacts(
        name=workspace.config.corpus.name,
        language=workspace.config.corpus.language,
        utterances=tuple(kept),
        split_of=divided.split_of,
        recordings=about.recordings,
        verses=about.verses,
        annotation_rights=about.annotation_rights,
        left_out=chosen.left_out,
        set_aside=tuple(sorted(Counter(divided.set_aside.values()).items())),
    )
    told = _told(name, folder, facts)
    _write(_Making(workspace.media, facts, about, options), folder, told, track)
    with workspace.store.transaction() as transaction:
        transaction.save([frozen])
    return told


def _chosen(workspace: Workspace, about: About, wanted: Wanted) -> Chosen:
    everything = workspace.store.utterances()
    chosen = choose(everything, about.recordings, about.verses, wanted, about.annotation_rights)
    if not everything:
        raise PublishError("there are no utterances yet: run `corpus align` first")
    if not chosen.utterances:
        reasons = ", ".join(f"{n} {reason}" for reason, n in chosen.left_out)
        raise PublishError(
            f"none of the {len(everything)} utterances may go in ({reasons}): correct them, or "
            "lower the bar with --min-tier bronze"
        )
    return chosen


def _divided(workspace: Workspace, chosen: Chosen, about: About, options: Options) -> Divided:
    groups = groups_of(about.recordings.values())
    rows = [
        Row(
            id=one.id,
            group=groups[one.recording],
            copla=about.coplas.get(one.verse, one.verse),
            seconds=one.duration,
            strata=strata_of(one, about),
        )
        for one in chosen.utterances
    ]
    divided = divide(rows, options.shares, _fixed(workspace, options.fixed_test))
    if leaking := leaks(rows, divided.split_of):
        raise PublishError(f"{len(leaking)} leaks between splits ({leaking[0]}): report this")
    return divided


def _fixed(workspace: Workspace, name: str) -> list[str]:
    """The test set of an earlier release."""
    if not name:
        return []
    known = {one.name: one for one in workspace.store.releases()}
    if name not in known:
        raise PublishError(
            f"there is no release {name} to take the test set of: see `corpus status`"
        )
    return [one.utterance for one in known[name].utterances if one.split == "test"]


def _frozen(workspace: Workspace, name: str, divided: Divided) -> Release:
    """The release to be; refused where one of that name holds something else."""
    utterances = tuple(
        ReleasedUtterance(utterance=id_, split=split)
        for id_, split in sorted(divided.split_of.items())
    )
    for known in workspace.store.releases():
        if known.name == name and set(known.utterances) != set(utterances):
            raise PublishError(f"a release named {name} exists with other utterances: name another")
    return Release(name=name, made=now(), utterances=utterances)


def _told(name: str, folder: Path, facts: CardFacts) -> Released:
    rows, hours = Counter[str](), defaultdict[str, float](float)
    for one in facts.utterances:
        rows[facts.split_of[one.id]] += 1
        hours[facts.split_of[one.id]] += one.duration / 3600
    return Released(
        name=name,
        folder=str(folder),
        rows={split: rows[split] for split in SPLITS if rows[split]},
        hours={split: hours[split] for split in SPLITS if rows[split]},
        left_out=dict(facts.left_out),
        set_aside=dict(facts.set_aside),
    )


# ---- the folder


@dataclass(frozen=True, slots=True)
class _Making:
    """All that a folder is made from."""

    media: Media
    facts: CardFacts
    about: About
    options: Options


def _write(making: _Making, folder: Path, told: Released, track: Track) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _scratch(folder.parent) as scratch:
            (scratch / "data").mkdir()
            with ThreadPoolExecutor(n_cores()) as pool:
                for name, shard in _shards(making.facts, track):
                    _write_shard(scratch / "data" / name, _rows(pool, making, shard))
            (scratch / "README.md").write_text(card(making.facts), "utf-8")
            _write_manifest(scratch, told, making.options)
            scratch.chmod(0o755)
            if folder.is_dir():
                folder.rmdir()
            scratch.rename(folder)
    except OSError as error:
        raise PublishError(f"cannot write {folder}: {error.strerror or error}") from error


@contextlib.contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".publishing-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _shards(facts: CardFacts, track: Track) -> Iterator[tuple[str, list[list[Utterance]]]]:
    """Name and recordings of each file.

    A file ends after a recording whose id says so: what comes, goes or changes elsewhere
    moves no end, so that files are the same from release to release.
    """
    recordings: dict[str, list[Utterance]] = defaultdict(list)
    for one in facts.utterances:
        recordings[one.recording].append(one)
    by_split: dict[str, list[str]] = defaultdict(list)
    for id_, mine in sorted(recordings.items()):
        for split in sorted({facts.split_of[one.id] for one in mine}):
            by_split[split].append(id_)
    for split in SPLITS:
        ids = by_split[split]
        every = _every(sum(u.duration for id_ in ids for u in recordings[id_]), len(ids))
        shard: list[list[Utterance]] = []
        for id_ in track(ids):
            shard.append([u for u in recordings[id_] if facts.split_of[u.id] == split])
            if int(id_[:8], 16) % every == 0:
                yield f"{split}-{id_[:12]}.parquet", shard
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
    pool: ThreadPoolExecutor, making: _Making, shard: Sequence[Sequence[Utterance]]
) -> Iterator[dict[str, Any]]:
    codec = making.options.codec

    def of_one(mine: Sequence[Utterance]) -> list[dict[str, Any]]:
        sound: Iterable[bytes | None] = [None] * len(mine)
        if not making.options.pointers:
            sound = clips(making.media, mine, codec)
        return [
            row(one, making.about, clip, codec.value) for one, clip in zip(mine, sound, strict=True)
        ]

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


def _write_shard(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = features().arrow_schema
    # Sound is compressed; what is left is small.
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for _, batch in groupby(enumerate(rows), key=lambda numbered: numbered[0] // _ROWS):
            table = pa.Table.from_pylist([one for _, one in batch], schema=schema)
            writer.write_table(table)


def _write_manifest(folder: Path, told: Released, options: Options) -> None:
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": hash_file(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    said = {
        "name": told.name,
        "made": now(),
        "codec": "" if options.pointers else options.codec.value,
        "shares": dict(options.shares),
        "wanted": asdict(options.wanted),
        "fixed_test": options.fixed_test,
        "rows": told.rows,
        "hours": told.hours,
        "left_out": told.left_out,
        "set_aside": told.set_aside,
        "files": files,
    }
    text = json.dumps(said, ensure_ascii=False, indent=1, default=str)
    (folder / MANIFEST).write_text(f"{text}\n", "utf-8")
