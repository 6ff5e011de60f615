"""What a release holds that was purged since, and the release that follows it without that.

Rows that stay are copied as they are: files without a purged row keep every byte.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import PublishError
from corpus.publish.folder import (
    check_free,
    data_files,
    making,
    read_manifest,
    rows_of,
    split_of,
)
from corpus.publish.noted import check_name, moment, note, note_made, unnoted
from corpus.publish.pointers import POINTERS, copy_pointers
from corpus.publish.release import Released, finish, released
from corpus.publish.shards import write_table
from corpus.records import Release
from corpus.store import Store
from corpus.workspace import Workspace

__all__ = ["Withdrawn", "follow_up", "released_here", "withdrawn"]

RECORDING, LETRA = "its recording was purged", "its letra was purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A row of a release that must go: which, where it lies, and why."""

    utterance: str
    split: str
    file: str
    recording: str
    title: str
    singer: str
    reason: str


def withdrawn(workspace: Workspace, folder: Path) -> list[Withdrawn]:
    """The rows of a release whose recording or letra was purged from the corpus it came of.

    Raises PublishError where the release cannot be read.
    """
    buried = workspace.store.tombstones().keys()
    verses = {verse.id for verse in workspace.store.verses()}
    return [one for file in data_files(folder) for one in _of_file(file, buried, verses)]


def _of_file(file: Path, buried: Collection[str], verses: Collection[str]) -> Iterator[Withdrawn]:
    for row in rows_of(file, ("id", "recording", "verse", "title", "singer")):
        reason = RECORDING if row["recording"] in buried else ""
        if not reason and row["verse"] and row["verse"] not in verses:
            reason = LETRA
        if reason:
            yield Withdrawn(
                utterance=row["id"],
                split=split_of(file),
                file=f"data/{file.name}",
                recording=row["recording"],
                title=row["title"],
                singer=row["singer"],
                reason=reason,
            )


def released_here(workspace: Workspace) -> list[Path]:
    """The folders of releases in the corpus that no other follows, by name."""
    folders = sorted(path.parent for path in (workspace.root / "releases").glob("*/manifest.json"))
    told = {folder: read_manifest(folder) for folder in folders}
    followed = {one.follows for one in told.values()}
    return [folder for folder in folders if told[folder].name not in followed]


def follow_up(
    workspace: Workspace, folder: Path, name: str, target: Path, gone: Sequence[Withdrawn]
) -> Released:
    """Make the release that is the one in `folder` without some rows, in the folder `target`.

    Splits stay.  Raises PublishError where target or name are taken, or nothing would be left;
    the folder appears whole or not at all.
    """
    told = read_manifest(folder)
    if name == told.name:
        raise PublishError(f"there is a release named {name}: name another")
    there = unnoted(workspace.store, name, target)
    if there is None:
        check_free(target)
    ids = {one.utterance for one in gone}
    frozen = _frozen(workspace.store, told.name, name, ids)
    check_name(workspace.store, frozen)
    if there is not None:
        note_made(workspace.store, frozen, there, target)
        return released(there, target)
    if len(ids) >= sum(told.rows.values()):
        raise PublishError(f"nothing would be left of {told.name}: delete it, where it was pushed")
    reasons = Counter(one.reason for one in gone)
    n_test = sum(one.split == "test" for one in gone) if told.fixed_test else 0
    after = told.model_copy(
        update={
            "name": name,
            "made": frozen.made,
            "follows": told.name,
            "withdrawn": dict(sorted(reasons.items())),
            "fixed_test_gone": told.fixed_test_gone + n_test,
        }
    )
    with making(target) as scratch:
        (scratch / "data").mkdir()
        changed = {one.file for one in gone}
        for file in data_files(folder):
            copy = scratch / "data" / file.name
            if f"data/{file.name}" in changed:
                _without(file, ids, copy)
            else:
                shutil.copyfile(file, copy)
        _keep_pointers(folder, scratch)
        whole = finish(scratch, after)
        if frozen.utterances:
            note(workspace.store, frozen)
    return released(whole, target)


def _without(file: Path, ids: Collection[str], copy: Path) -> None:
    """Copy a file of rows but for some; none where none is left."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    unwanted = pa.array(sorted(ids), pa.string())
    try:
        with pq.ParquetFile(file) as opened:
            left = (
                table.filter(pc.invert(pc.is_in(table["id"], unwanted)))
                for table in map(opened.read_row_group, range(opened.num_row_groups))
            )
            write_table(copy, opened.schema_arrow, left)
    except pa.ArrowException as error:
        raise PublishError(f"{file} cannot be read: {error}") from error
    if not pq.read_metadata(copy).num_rows:
        copy.unlink()


def _keep_pointers(folder: Path, copy: Path) -> None:
    """What recordings are known by, of those that a row is left of."""
    if (folder / POINTERS).is_file():
        left = {
            row["recording"] for file in data_files(copy) for row in rows_of(file, ("recording",))
        }
        copy_pointers(folder, copy, left)


def _frozen(store: Store, before: str, name: str, gone: Collection[str]) -> Release:
    """What the corpus knows of the release before, but for what is gone, under the new name."""
    known = {one.name: one.utterances for one in store.releases()}
    left = tuple(one for one in known.get(before, ()) if one.utterance not in gone)
    return Release(name=name, made=moment(store, name), utterances=left)
