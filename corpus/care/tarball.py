"""A backup in one tar file: made anew each time, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from corpus.care.manifest import MANIFEST, Manifest, read, written
from corpus.care.shelf import held, opened
from corpus.errors import BackupError, MediaError, UsageError
from corpus.whole import writing

__all__ = ["TarReader", "TarShelf", "is_tar"]


def is_tar(path: Path) -> bool:
    """Whether a backup of this name is one file."""
    return path.suffix.lower() == ".tar"


class _Hashed(io.RawIOBase):
    """A file that tells what was read of it."""

    def __init__(self, data: IO[bytes]) -> None:
        self._data = data
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._data.read(size)
        self.digest.update(block)
        return block


class TarShelf:
    """A tar file that is being written."""

    def __init__(self, scratch: Path, tar: tarfile.TarFile) -> None:
        self.scratch = scratch
        self._tar = tar
        self._there: set[str] = set()

    @classmethod
    @contextlib.contextmanager
    def writing(cls, target: Path) -> Iterator[TarShelf]:
        """It takes the place of `target` at the end of the block; where that raises, nothing does.

        Raises UsageError where `target` is a folder, BackupError where another process is at it.
        """
        if target.is_dir():
            raise UsageError(f"{target} is a folder: name a file, or a folder without .tar")
        making = target.with_name(f".{target.name}.making")
        with held(making, target):
            try:
                scratch = making / "scratch"
                shutil.rmtree(scratch, ignore_errors=True)
                scratch.mkdir()
                with writing(target, private=True) as part, tarfile.open(part, "w") as tar:
                    yield cls(scratch, tar)
            finally:
                shutil.rmtree(making, ignore_errors=True)

    def before(self) -> None:
        """Nothing: each tar file is made anew."""

    def has(self, digest: str, n_bytes: int) -> bool:  # noqa: ARG002  # what is in it is whole
        """Whether the bytes of a digest are there."""
        return digest in self._there

    def put(self, source: Path, digest: str, *, link: bool = False) -> None:  # noqa: ARG002  # a tar file has no links to the outside
        """Add the bytes of a file, whose digest was just taken."""
        with opened(source) as data:
            hashed, told = _Hashed(data), tarfile.TarInfo(digest)
            told.size = source.stat().st_size
            self._tar.addfile(told, hashed)
        if hashed.digest.hexdigest() != digest:
            raise MediaError(f"{source} was changed while it was read: run again")
        self._there.add(digest)

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest."""
        data = written(manifest)
        told = tarfile.TarInfo(MANIFEST)
        told.size = len(data)
        self._tar.addfile(told, io.BytesIO(data))


class TarReader:
    """A tar file that is read."""

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self._path, self._tar = path, tar

    @classmethod
    @contextlib.contextmanager
    def reading(cls, path: Path) -> Iterator[TarReader]:
        """Open it; raises BackupError where it is no tar file, or not a whole one."""
        try:
            with tarfile.open(path, "r:") as tar:
                _read_list(tar)
                yield cls(path, tar)
        except (tarfile.TarError, OSError) as error:
            raise BackupError(f"{path} is no whole backup: {error}") from error

    def manifest(self) -> Manifest:
        """What is told of it; raises BackupError where there is none, or it is damaged."""
        with self.open(MANIFEST) as data:
            return read(data.read(), str(self._path))

    def open(self, digest: str) -> IO[bytes]:
        """The bytes of a digest; raises BackupError where they are gone."""
        try:
            told = self._tar.getmember(digest)
        except KeyError:
            told = None
        # A link would be followed, round and round where it leads to itself.
        member = self._tar.extractfile(told) if told is not None and told.isreg() else None
        if member is None:
            raise BackupError(f"{self._path} is no whole backup: it has no {digest}")
        return member


def _read_list(tar: tarfile.TarFile) -> None:
    """Read the list of what is in it, so that no half of a file passes; raises TarError."""
    try:
        tar.getmembers()
    except (ValueError, EOFError) as error:
        # What tarfile raises of some damaged heads.
        raise tarfile.ReadError(str(error)) from error
