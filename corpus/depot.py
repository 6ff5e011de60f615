"""Where files of audio lie: a folder on this disk, or elsewhere with a copy here while it is used.

A file is named by its key, a path such as "flac/ab/abcd.flac".
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.whole import removed, writing

__all__ = ["Depot", "FolderDepot", "Kept", "S3Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file as it lies there; `changed` is in ns since 1970, 0 where nobody tells."""

    key: str
    n_bytes: int
    changed: int
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where in S3; `prefix` is without slashes around it, `endpoint` is "" at Amazon."""

    bucket: str
    prefix: str
    region: str
    endpoint: str = ""


class Depot(Protocol):
    """Keeps files by key.  Everything raises MediaError where they cannot be read or written.

    `folder` is on this disk: all of it, or what is at hand of it, and what is made beside.
    """

    folder: Path

    def name(self, key: str) -> str:
        """Where a file lies, for people."""
        ...

    def s3(self) -> S3Place | None:
        """Where in S3 it is; None where it is elsewhere."""
        ...

    def here(self, key: str) -> Path:
        """The file on this disk, brought here where it is not; a path of nothing without one."""
        ...

    def at_hand(self, key: str) -> Path | None:
        """The same where nothing has to be brought; None else."""
        ...

    def fresh(self, key: str) -> Path:
        """As `here`, with the bytes that are kept now, whatever was brought before."""
        ...

    def told(self, key: str) -> Kept | None:
        """What is told of a file; None where there is none."""
        ...

    def kept(self, under: str) -> Iterator[Kept]:
        """All files whose key begins so, as in "flac/"."""
        ...

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """A path to write to; the file is there at the end of the block, whole or not at all."""
        ...

    def remove(self, key: str) -> int:
        """Remove a file; gives 1, or 0 where there was none."""
        ...

    def tidy(self, keys: Collection[str]) -> None:
        """Remove copies here of what is kept no longer; `keys` are of all that is."""
        ...


class FolderDepot:
    """A folder on this disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def name(self, key: str) -> str:
        """Where a file lies, for people."""
        return str(self.folder / key)

    def s3(self) -> S3Place | None:
        """Nowhere."""
        return None

    def here(self, key: str) -> Path:
        """The file, or where it would be."""
        return self.folder / key

    at_hand = fresh = here

    def told(self, key: str) -> Kept | None:
        """What is told of a file; None where there is none."""
        return self._told(self.folder / key)

    def kept(self, under: str) -> Iterator[Kept]:
        """All files whose key begins so, as in "flac/"."""
        for path in (self.folder / under.partition("/")[0]).rglob("*"):
            told = self._told(path)
            if told is not None and told.key.startswith(under):
                yield told

    def _told(self, path: Path) -> Kept | None:
        try:
            found = path.stat()
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return Kept(
            key=path.relative_to(self.folder).as_posix(),
            n_bytes=found.st_size,
            changed=found.st_mtime_ns,
            private=not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO),
        )

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """A path to write to; the file is there at the end of the block, whole or not at all."""
        return writing(self.folder / key)

    def remove(self, key: str) -> int:
        """Remove a file; gives 1, or 0 where there was none."""
        return removed(self.folder / key)

    def tidy(self, keys: Collection[str]) -> None:
        """Nothing: there are no copies."""
