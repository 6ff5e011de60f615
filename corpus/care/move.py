"""A corpus to another database, or its audio to another place: copied, counted, then switched over.

Until corpus.toml says so, nothing has moved; what was is left as it is.  Killed anywhere, the same
command carries on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from pydantic import ValidationError

from corpus.care.dump import Step, dump, load, nothing
from corpus.care.settings import change
from corpus.database import HEAD, Database
from corpus.depot import Depot
from corpus.errors import MediaError, StoreError, UsageError
from corpus.media import AUDIO, hash_file
from corpus.workspace import CONFIG_NAME, MediaSection, Workspace, depot_of, store_url

__all__ = ["MovedMedia", "MovedStore", "move_media", "move_store"]


# ---- rows


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedStore:
    """Where the store was and is, and its rows by table: here, and there as counted."""

    before: str
    after: str
    here: dict[str, int]
    there: dict[str, int]


def move_store(workspace: Workspace, url: str, step: Step = nothing) -> MovedStore:
    """Copy all rows to an empty database and let corpus.toml name that from then on.

    Nobody else writes meanwhile.  What is there is read back and compared, byte by byte.  Raises
    UsageError where it cannot be meant, StoreError where the database is not empty, or others write
    for too long, DiskFullError without room.
    """
    before = workspace.config.store.url
    _check_meant(workspace, url)
    with workspace.store.held() as still_held, _scratch(workspace.root) as (mine, theirs):
        with workspace.store.snapshot() as connection:
            here = dump(connection, mine, step)
        target = Database(store_url(workspace.root, url))
        try:
            if not _is_filled(target):
                load(target, {name: mine / f"{name}.jsonl.gz" for name in here}, here, HEAD, step)
            there = _read_back(target, mine, theirs, step)
        finally:
            target.close()
        still_held()
        change(workspace.root / CONFIG_NAME, {"store.url": url})
    return MovedStore(before=before, after=url, here=here, there=there)


@contextlib.contextmanager
def _scratch(root: Path) -> Iterator[tuple[Path, Path]]:
    """Two folders that go at the end, and those that were left by one that was killed."""
    for left in root.glob(".moving-*"):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".moving-", dir=root) as folder:
            both = Path(folder) / "here", Path(folder) / "there"
            for one in both:
                one.mkdir()
            yield both
    except OSError as error:
        raise MediaError(f"cannot write in {root}: {error.strerror or error}") from error


def _check_meant(workspace: Workspace, url: str) -> None:
    try:
        password = sa.make_url(url).password
    except sa.exc.ArgumentError:
        raise UsageError(
            "--store is an address such as postgresql+psycopg://user@host/corpus or "
            "sqlite:///corpus.db"
        ) from None
    if password is not None:
        raise UsageError(
            "leave the password out: corpus.toml is copied and read by others. PostgreSQL takes "
            "it from ~/.pgpass or PGPASSWORD"
        )
    if store_url(workspace.root, url) == store_url(workspace.root, workspace.config.store.url):
        raise UsageError(f"the store is {url} already")


def _is_filled(target: Database) -> bool:
    """Whether a database has the tables of this version: the copy may be of a run before."""
    return target.revision() == HEAD


def _read_back(target: Database, mine: Path, theirs: Path, step: Step) -> dict[str, int]:
    """The rows that are there, counted; raises StoreError where they are not the same."""
    with target.snapshot() as connection:
        there = dump(connection, theirs, step)
    for name in there:
        here, copy = (hash_file(folder / f"{name}.jsonl.gz") for folder in (mine, theirs))
        if here != copy:
            raise StoreError(
                f"the store {target.url} is not empty, and its {name} are not those of this "
                "corpus: name another with --store"
            )
    return there


# ---- audio


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedMedia:
    """Where audio was and is: files and bytes of it here and there, and how many were copied."""

    before: str
    after: str
    here: int
    there: int
    n_bytes: int
    copied: int


def move_media(workspace: Workspace, place: str, step: Step = nothing) -> MovedMedia:
    """Copy all audio to another folder or bucket and let corpus.toml name that from then on.

    Others work on meanwhile, but for the end, when only what is new is copied.  Raises UsageError
    where the same place is meant, MediaError where other audio lies there, or a file cannot be
    read or written, DiskFullError without room.
    """
    before, here = workspace.config.media.folder, workspace.media.depot
    target = _depot(workspace, place)
    copied = _copy(here, target, step)
    with workspace.store.held() as still_held:
        copied += _copy(here, target, step)
        mine, theirs = _listed(here), _listed(target)
        if mine != theirs:
            raise MediaError(f"the audio in {place} is not the same: look who else is at it")
        _link_heard(workspace.media.heard, target.folder / "heard")
        still_held()
        change(workspace.root / CONFIG_NAME, {"media.folder": place})
    return MovedMedia(
        before=before,
        after=place,
        here=len(mine),
        there=len(theirs),
        n_bytes=sum(theirs.values()),
        copied=copied,
    )


def _depot(workspace: Workspace, place: str) -> Depot:
    """The depot of another place; raises UsageError where it cannot be meant."""
    section = workspace.config.media
    try:
        there = MediaSection(folder=place, cache=section.cache, cache_gb=section.cache_gb)
    except ValidationError as error:
        raise UsageError(f"--media: {error.errors()[0]['msg'].lower()}") from None
    depot = depot_of(workspace.root, there)
    if depot.name("") == workspace.media.depot.name(""):
        raise UsageError(f"the audio is in {place} already")
    return depot


def _listed(depot: Depot) -> dict[str, int]:
    """The files of audio and their bytes, by key."""
    found = (one for area in AUDIO for one in depot.kept(area))
    return {one.key: one.n_bytes for one in found if "/.part-" not in one.key}


def _copy(here: Depot, target: Depot, step: Step) -> int:
    """Copy what is not there yet, or of other length; gives how many files."""
    mine, theirs = _listed(here), _listed(target)
    if others := theirs.keys() - mine.keys():
        raise MediaError(
            f"{target.name(min(others))} is no audio of this corpus: name a place of its own"
        )
    missing = [key for key, n_bytes in mine.items() if theirs.get(key) != n_bytes]
    for k, key in enumerate(missing):
        step("audio", k, len(missing))
        with target.writing(key) as scratch:
            shutil.copyfile(here.here(key), scratch)
    step("audio", len(missing), len(missing))
    return len(missing)


def _link_heard(here: Path, there: Path) -> None:
    """Let what models heard be found there too: it took days to hear, and can be heard again."""
    if here.is_dir() and here != there:
        halves = shutil.ignore_patterns(".part-*")
        with contextlib.suppress(OSError):
            shutil.copytree(here, there, copy_function=_link, ignore=halves, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        shutil.copy2(source, target)
