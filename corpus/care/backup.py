"""A copy of a corpus that can be brought back anywhere: rows, settings, what cannot be made again.

The rows are of one moment, whatever others write meanwhile.  Every byte is kept by its digest, and
the manifest is written last: a backup that is killed leaves the one before as it was, and the same
command carries on with what it had copied.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa

from corpus import tables as t
from corpus.care.dump import Step, dump, nothing
from corpus.care.manifest import Dumped, Manifest, Stored
from corpus.care.shelf import FolderShelf, Shelf
from corpus.care.tarball import TarShelf, is_tar
from corpus.database import HEAD
from corpus.depot import FolderDepot, Kept
from corpus.errors import MediaError, UsageError
from corpus.improving import NOTE
from corpus.media import AUDIO, flac_key, hash_file, original_key
from corpus.run import now
from corpus.workspace import CONFIG_NAME, Workspace

__all__ = ["BackedUp", "back_up"]

_WHOLE = (CONFIG_NAME, "pseudonyms.key", "heads", "lyrics", "models", "releases")
"""What of a corpus's folder goes along, beside its rows and media."""

_REMADE = ("annotate", "bank", "labelstudio", "media", "report.html", "show", "sides", NOTE)
"""What is made again, or is kept elsewhere, or is a server's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What a backup holds: rows by table, files and their bytes, how many of them are new in it.

    `missing` are files that were not there, or were damaged, each with what to do; `left_out` is
    what else lies in the corpus's folder.
    """

    target: Path
    rows: dict[str, int]
    n_files: int
    n_bytes: int
    new_files: int
    new_bytes: int
    missing: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A file that is to go along: what is told of it, None where it is missing, and where it lies.

    `digest` is what its name says that its bytes are.
    """

    path: str
    told: Kept | None
    bring: Callable[[], Path]
    digest: str = ""
    link: bool = False


@dataclass(slots=True)
class _Work:
    """A backup as it comes along."""

    shelf: Shelf
    before: Manifest | None
    files: dict[str, Stored] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    new_files: int = 0
    new_bytes: int = 0


def back_up(
    workspace: Workspace,
    target: Path,
    *,
    media: bool = True,
    link: bool = False,
    step: Step = nothing,
) -> BackedUp:
    """Copy a corpus to a folder, or to one file that ends in .tar; what a folder has is kept.

    With `link`, media become further names of the same bytes where the disk is the same: that
    takes no room, and does not help when the disk fails.  Raises UsageError where something else
    lies there, BackupError or MediaError where nothing can be written, DiskFullError without room.
    """
    target = target.absolute()
    if workspace.root.resolve() in (target.resolve(), *target.resolve().parents):
        raise UsageError(f"{target} lies in the corpus itself: name a place outside of it")
    with _shelf(target) as shelf:
        work = _Work(shelf, shelf.before())
        with workspace.store.snapshot() as connection:
            _check_same(shelf, work.before, connection)
            rows = dump(connection, shelf.scratch, step)
            audio = _audio(workspace, connection, link=link) if media else []
        tables = _put_tables(work, rows)
        wanted = [*_own_files(workspace.root), *audio]
        for k, one in enumerate(wanted):
            step("files", k, len(wanted))
            _take(work, one)
        step("files", len(wanted), len(wanted))
        shelf.finish(_manifest(workspace, tables, work, media=media))
    files = {one.sha256: one.bytes for one in work.files.values()}
    return BackedUp(
        target=target,
        rows=rows,
        n_files=len(work.files),
        n_bytes=sum(files.values()),
        new_files=work.new_files,
        new_bytes=work.new_bytes,
        missing=tuple(work.missing),
        left_out=tuple(_left_out(workspace)),
    )


def _shelf(target: Path) -> contextlib.AbstractContextManager[Shelf]:
    return TarShelf.writing(target) if is_tar(target) else FolderShelf.writing(target)


def _check_same(shelf: Shelf, before: Manifest | None, connection: sa.Connection) -> None:
    """Raise UsageError where what is there is of another corpus, or this one has lost everything.

    What is there would go.
    """
    if before is None or not isinstance(shelf, FolderShelf):
        return
    with shelf.open(before.tables["recordings"].sha256) as data, gzip.open(data) as lines:
        then = {json.loads(line)["id"] for line in lines}
    if then and not then.intersection(connection.scalars(sa.select(t.recordings.c.id))):
        raise UsageError(
            f"{shelf.root} holds a backup of '{before.corpus}' with {len(then)} recordings, and "
            "none of them is in this corpus: name a new folder"
        )


def _own_files(root: Path) -> Iterator[_Wanted]:
    """The settings, letras as they came, releases, models and heads that were made here."""
    for name in _WHOLE:
        whole = root / name
        for path in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
            # What begins so is half-written, by somebody who is at it.
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if path.is_file() and not hidden:
                key, here = path.relative_to(root).as_posix(), FolderDepot(root)
                yield _Wanted(path=key, told=here.told(key), bring=partial(here.here, key))


def _audio(workspace: Workspace, connection: sa.Connection, *, link: bool) -> list[_Wanted]:
    """The original and the FLAC of each recording; a track of a side has no original."""
    c, depot, found = t.recordings.c, workspace.media.depot, []
    told = {one.key: one for area in AUDIO for one in depot.kept(area)}
    for row in connection.execute(sa.select(c.id, c.suffix, c.part_of).order_by(c.id)):
        original, flac = original_key(row.id, row.suffix), flac_key(row.id)
        for key, digest in ((original, row.id), (flac, ""))[bool(row.part_of) :]:
            one = _Wanted(
                path=f"media/{key}",
                told=told.get(key),
                bring=partial(depot.here, key),
                digest=digest,
                link=link,
            )
            found.append(one)
    return found


# ---- copying


def _put_tables(work: _Work, rows: Mapping[str, int]) -> dict[str, Dumped]:
    tables = {}
    for name, n_rows in rows.items():
        path = work.shelf.scratch / f"{name}.jsonl.gz"
        digest, n_bytes = hash_file(path), path.stat().st_size
        _put(work, path, digest, n_bytes)
        tables[name] = Dumped(sha256=digest, bytes=n_bytes, rows=n_rows)
    return tables


def _take(work: _Work, one: _Wanted) -> None:
    """Copy a file where its bytes are not there yet; what cannot be read is noted."""
    if one.told is None:
        work.missing.append(f"{one.path}: {os.strerror(errno.ENOENT)}: see `corpus verify`")
        return
    try:
        digest = _known(work, one, one.told) or hash_file(one.bring())
    except MediaError as error:
        work.missing.append(f"{one.path}: {error}: see `corpus verify`")
        return
    if one.digest not in {"", digest}:
        work.missing.append(f"{one.path} is damaged: see `corpus verify`")
        return
    if not work.shelf.has(digest, one.told.n_bytes):
        _put(work, one.bring(), digest, one.told.n_bytes, link=one.link)
    work.files[one.path] = Stored(
        sha256=digest,
        bytes=one.told.n_bytes,
        mtime_ns=one.told.changed,
        private=one.told.private,
    )


def _known(work: _Work, one: _Wanted, told: Kept) -> str:
    """The digest of a file whose bytes are there already, without reading it; "" else."""
    old = work.before.files.get(one.path) if work.before else None
    same = old is not None and (old.bytes, old.mtime_ns) == (told.n_bytes, told.changed)
    digest = one.digest or (old.sha256 if old and same else "")
    return digest if digest and work.shelf.has(digest, told.n_bytes) else ""


def _put(work: _Work, source: Path, digest: str, n_bytes: int, *, link: bool = False) -> None:
    if work.shelf.has(digest, n_bytes):
        return
    work.shelf.put(source, digest, link=link)
    work.new_files += 1
    work.new_bytes += n_bytes


def _manifest(
    workspace: Workspace, tables: dict[str, Dumped], work: _Work, *, media: bool
) -> Manifest:
    return Manifest(
        made=now(),
        made_with=version("cante-corpus"),
        corpus=workspace.config.corpus.name,
        revision=HEAD,
        media=media,
        tables=tables,
        files=work.files,
        missing=tuple(work.missing),
    )


def _left_out(workspace: Workspace) -> Iterator[str]:
    """What lies in a corpus's folder and nobody here knows of; its store is known."""
    known, url = {*_WHOLE, *_REMADE}, workspace.config.store.url
    for path in sorted(workspace.root.iterdir()):
        store = path.name.removesuffix("-wal").removesuffix("-shm")
        media = path in (workspace.media.root, *workspace.media.root.parents)
        if path.name not in known and not media and not url.endswith(f"/{store}"):
            yield path.name
