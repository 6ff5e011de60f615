"""Where a backup lies: a folder that grows from time to time, or one tar file.

Bytes are kept by their SHA-256, each once; a manifest, written last, says which are which.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Protocol

from filelock import FileLock, Timeout

from corpus.care.manifest import MANIFEST, Manifest, read, written
from corpus.errors import BackupError, MediaError, UsageError
from corpus.whole import writing

__all__ = ["FolderShelf", "Reader", "Shelf", "copied", "held", "opened"]

_OBJECTS, _LOCK, _SCRATCH = "objects", ".lock", ".making"
_BLOCK = 1 << 20


class Reader(Protocol):
    """A backup to read from."""

    def manifest(self) -> Manifest:
        """What is told of it; raises BackupError where there is none, or it is damaged."""
        ...

    def open(self, digest: str) -> IO[bytes]:
        """The bytes of a digest; raises BackupError where they are gone."""
        ...


class Shelf(Protocol):
    """A backup to write; `scratch` is a folder for what is being made."""

    scratch: Path

    def before(self) -> Manifest | None:
        """What was told of it the last time; None where no backup came to its end there."""
        ...

    def has(self, digest: str, n_bytes: int) -> bool:
        """Whether the bytes of a digest are there, all of them."""
        ...

    def put(self, source: Path, digest: str, *, link: bool = False) -> None:
        """Keep the bytes of a file, whose digest was just taken.

        With `link` as another name of the same bytes on the disk, where that is possible.
        Raises MediaError where it cannot be read or written, or was changed meanwhile.
        """
        ...

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest: from here on the backup is this one."""
        ...


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    """All bytes, piece by piece; raises MediaError where the disk does not give them."""
    try:
        while block := source.read(_BLOCK):
            yield block
    except OSError as error:
        told = error.strerror or error
        raise MediaError(f"{source.name} cannot be read: {told}") from error


def copied(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy all bytes; gives their SHA-256."""
    digest = hashlib.sha256()
    for block in _blocks(source):
        digest.update(block)
        target.write(block)
    return digest.hexdigest()


def _digests(manifest: Manifest) -> Collection[str]:
    """All bytes that a manifest names."""
    files = {one.sha256 for one in manifest.files.values()}
    return files | {one.sha256 for one in manifest.tables.values()}


@contextlib.contextmanager
def opened(source: Path) -> Iterator[IO[bytes]]:
    """A file to read; raises MediaError where it cannot be."""
    try:
        data = source.open("rb")
    except OSError as error:
        raise MediaError(f"{source} cannot be read: {error.strerror}") from error
    with data:
        yield data


@contextlib.contextmanager
def held(folder: Path, backup: Path) -> Iterator[None]:
    """Hold a private folder for this process; BackupError where another one does, or it cannot be.

    `backup` is what it is for, for the message.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # What it holds is nobody's business who may not read the corpus.
        folder.chmod(stat.S_IRWXU)
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout:
        raise BackupError(f"{backup}: another backup is being made there: wait for it") from None
    except OSError as error:
        told = error.strerror or error
        raise BackupError(f"{backup} cannot be written: {told}") from error


# ---- a folder


class FolderShelf:
    """A backup in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = root / _SCRATCH

    @classmethod
    @contextlib.contextmanager
    def writing(cls, root: Path) -> Iterator[FolderShelf]:
        """The folder, made where it is not, for one process at a time.

        Raises UsageError where it holds something that is no backup, BackupError where another
        process is at it or it cannot be made.
        """
        _check_folder(root)
        with held(root, root):
            shelf = cls(root)
            shelf._tidy()
            shelf.scratch.mkdir()
            try:
                yield shelf
            finally:
                shutil.rmtree(shelf.scratch, ignore_errors=True)

    def _tidy(self) -> None:
        """Remove what a killed backup left half-written; the lock says that nobody is at it."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        for path in (*self.root.glob(".part-*"), *(self.root / _OBJECTS).glob("*/.part-*")):
            path.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.root / _OBJECTS / digest[:2] / digest

    def before(self) -> Manifest | None:
        """What was told of it the last time; None where no backup came to its end there."""
        return self.manifest() if (self.root / MANIFEST).exists() else None

    def manifest(self) -> Manifest:
        """What is told of it; raises BackupError where there is none, or it is damaged."""
        try:
            data = (self.root / MANIFEST).read_bytes()
        except OSError as error:
            raise BackupError(
                f"{self.root} is no whole backup: {MANIFEST} cannot be read ({error.strerror})"
            ) from None
        return read(data, str(self.root))

    def has(self, digest: str, n_bytes: int) -> bool:
        """Whether the bytes of a digest are there, all of them."""
        try:
            return self._path(digest).stat().st_size == n_bytes
        except OSError:
            return False

    def open(self, digest: str) -> IO[bytes]:
        """The bytes of a digest; raises BackupError where they are gone."""
        try:
            return self._path(digest).open("rb")
        except OSError as error:
            raise BackupError(f"cannot be read from the backup: {error.strerror}") from error

    def put(self, source: Path, digest: str, *, link: bool = False) -> None:
        """Keep the bytes of a file, whose digest was just taken."""
        if link and self._linked(source, digest):
            return
        with opened(source) as data, writing(self._path(digest)) as scratch:
            with scratch.open("wb") as out:
                found = copied(data, out)
            if found != digest:
                raise MediaError(f"{source} was changed while it was read: run again")

    def _linked(self, source: Path, digest: str) -> bool:
        path = self._path(digest)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            os.link(source, path)
            return True
        return False

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, then remove the bytes that only the one before named."""
        with writing(self.root / MANIFEST) as scratch:
            scratch.write_bytes(written(manifest))
        needed = _digests(manifest)
        for path in (self.root / _OBJECTS).glob("*/*"):
            if path.name not in needed:
                path.unlink(missing_ok=True)


def _check_folder(root: Path) -> None:
    """Raise UsageError where something else lies there."""
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file: name a folder, or a file that ends in .tar")
    ours = {MANIFEST, _OBJECTS, _LOCK, _SCRATCH}
    there = [path.name for path in root.iterdir()] if root.is_dir() else []
    other = sorted(name for name in there if name not in ours and not name.startswith(".part-"))
    if other:
        raise UsageError(f"{root} holds something else ({other[0]}): name a new folder")
