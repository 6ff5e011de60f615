"""A corpus out of a backup: whole in a new folder, or nothing."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from corpus.bucket import is_address
from corpus.care.dump import Step, load, nothing
from corpus.care.manifest import Manifest, Stored
from corpus.care.settings import change
from corpus.care.shelf import FolderShelf, Reader, copied
from corpus.care.tarball import TarReader, is_tar
from corpus.database import Database
from corpus.errors import BackupError, MediaError, UsageError
from corpus.whole import making, refusal, writing
from corpus.workspace import CONFIG_NAME, Config, read_config, store_url

__all__ = ["Restored", "reading", "restore"]

_MEDIA = "media"
"""Where a restored corpus has its media, wherever they were: in its own folder."""

_CACHE = Config().media.cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back; `damaged` are files of the backup that are not as they were stored.

    `missing` are those that were not there when it was made; `elsewhere` is the bucket in which
    the audio still lies, "" where it was brought back too.
    """

    folder: Path
    made: str
    rows: dict[str, int]
    n_files: int
    media: bool
    elsewhere: str
    damaged: tuple[str, ...]
    missing: tuple[str, ...]


def restore(backup: Path, folder: Path, *, store: str = "", step: Step = nothing) -> Restored:
    """Make a corpus in a new or empty folder; every byte is compared with its digest.

    `store` is the address of an empty database in place of the one that corpus.toml names.
    A damaged file is left out and named; where rows or settings are damaged, nothing is made.
    Raises UsageError where something lies in the folder, BackupError where the backup cannot be
    used, StoreError where the database is not empty or cannot be, DiskFullError without room.
    """
    folder = folder.absolute()
    _check_free(folder)
    with reading(backup) as reader:
        manifest = reader.manifest()
        with _making(folder) as scratch:
            damaged = _files(reader, manifest, scratch, step)
            (scratch / _MEDIA).mkdir(exist_ok=True)
            config = _settle(scratch / CONFIG_NAME, store, media=manifest.media)
            if not store:
                _check_store(scratch, config.store.url)
            with tempfile.TemporaryDirectory(prefix=".rows-", dir=scratch) as tables:
                _rows(reader, manifest, Path(tables), store_url(scratch, config.store.url), step)
    return Restored(
        folder=folder,
        made=manifest.made,
        rows={name: one.rows for name, one in manifest.tables.items()},
        n_files=len(manifest.files) - len(damaged),
        media=manifest.media,
        elsewhere=config.media.folder if is_address(config.media.folder) else "",
        damaged=tuple(damaged),
        missing=manifest.missing,
    )


def _check_free(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder} is taken: a corpus is restored into a new or an empty folder")


@contextlib.contextmanager
def reading(backup: Path) -> Iterator[Reader]:
    """A backup to read from; UsageError where there is none, BackupError where it is cut short."""
    if is_tar(backup):
        with TarReader.reading(backup) as tar:
            yield tar
    elif backup.is_dir():
        yield FolderShelf(backup)
    else:
        raise UsageError(f"{backup} is no backup: name the folder or .tar of `corpus backup`")


@contextlib.contextmanager
def _making(folder: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `folder` at the end of the block, and else goes."""
    try:
        with making(folder) as scratch:
            # Somebody else may have made it, and was waited for.
            _check_free(folder)
            yield scratch
    except OSError as error:
        raise BackupError(refusal(error, folder)) from error


# ---- files


def _files(reader: Reader, manifest: Manifest, scratch: Path, step: Step) -> list[str]:
    """Write the files; gives those that are damaged, each with why."""
    damaged = []
    for k, (path, stored) in enumerate(manifest.files.items()):
        step("files", k, len(manifest.files))
        try:
            _file(reader, stored, scratch / path)
        except BackupError as error:
            if path == CONFIG_NAME:
                raise
            damaged.append(f"{path}: {error}")
    step("files", len(manifest.files), len(manifest.files))
    return damaged


def _file(reader: Reader, stored: Stored, target: Path) -> None:
    """Write one file; raises BackupError where its bytes in the backup are not those of then."""
    with reader.open(stored.sha256) as data, writing(target) as scratch:
        try:
            with scratch.open("wb") as out:
                found = copied(data, out)
        except MediaError as error:
            raise BackupError(str(error)) from error
        if found != stored.sha256:
            raise BackupError("it is damaged in the backup")
    if stored.private:
        target.chmod(0o600)
    # By it the next backup knows that it has these bytes.
    os.utime(target, ns=(stored.mtime_ns, stored.mtime_ns))


def _rows(reader: Reader, manifest: Manifest, folder: Path, url: str | sa.URL, step: Step) -> None:
    """Fill the store; BackupError where a table is not as it was stored."""
    paths = {name: folder / f"{name}.jsonl.gz" for name in manifest.tables}
    for name, table in manifest.tables.items():
        try:
            _file(reader, Stored(sha256=table.sha256, bytes=table.bytes), paths[name])
        except BackupError as error:
            raise BackupError(f"the rows of {name}: {error}: take an older backup") from error
    counts = {name: table.rows for name, table in manifest.tables.items()}
    database = Database(url)
    try:
        load(database, paths, counts, manifest.revision, step)
    finally:
        database.close()


# ---- settings


def _check_store(root: Path, url: str) -> None:
    """Raise BackupError where the store that a backup names is a file outside of the corpus."""
    file = sa.make_url(store_url(root, url))
    if file.get_backend_name() == "sqlite" and file.database not in {None, "", ":memory:"}:
        path = Path(str(file.database)).resolve()
        if not path.is_relative_to(root.resolve()):
            raise BackupError(
                f"the store of the backup lies outside of its corpus ({url}): say by --store"
                " where it is to be"
            )


def _settle(path: Path, store: str, *, media: bool) -> Config:
    """Bring corpus.toml to its new place: its own media folder, and the store that was asked for.

    A bucket whose audio the backup does not hold (`media`) stays.  Raises ConfigError where it says
    what cannot be, or cannot be changed line by line.
    """
    if not path.is_file():
        raise BackupError(f"the backup has no {CONFIG_NAME}")
    config = read_config(path)
    values = {"media.folder": _MEDIA} if config.media.folder != _MEDIA else {}
    if is_address(config.media.folder) and not media:
        # The folder of copies may be a place of another machine, or of nobody's business.
        values = {"media.cache": _CACHE} if config.media.cache != _CACHE else {}
    if store:
        values["store.url"] = store
    return change(path, values) if values else config
