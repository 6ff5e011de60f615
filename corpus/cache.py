"""A folder with copies of files that lie elsewhere: of bounded size, for several processes.

fsspec's own caches have no bound, and diskcache unpickles what it finds on the disk.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

__all__ = ["Cache"]

_IN_USE_S = 60.0
"""What was used so many seconds ago may be about to be opened, and stays."""

_ABANDONED_S = 3600.0
"""What is half-written for so long was left by something that was killed."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """A file of the folder: its bytes, and when it was used last, in seconds since 1970."""

    path: Path
    n_bytes: int
    used: float

    @property
    def half(self) -> bool:
        """Whether it is half-written."""
        return self.path.name.startswith(".part-")

    @property
    def free(self) -> bool:
        """Whether nobody can be about to open it, or at work on it."""
        return self.used < time.time() - (_ABANDONED_S if self.half else _IN_USE_S)


class Cache:
    """Copies by key; what was used longest ago goes when there are more than `most` bytes.

    It holds more only by what was used in the last minute.
    """

    def __init__(self, folder: Path, most: float) -> None:
        self.folder, self.most = folder, most

    def path(self, key: str) -> Path:
        """Where the copy of a file stands, or would."""
        return self.folder / key

    def use(self, key: str) -> bool:
        """Note that a copy is used now; False where there is none."""
        path = self.path(key)
        try:
            # The time of access is set by hand: many disks are mounted so that they keep none.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        except OSError:
            return False
        return True

    def make_room(self, n_bytes: int = 0) -> None:
        """Remove copies until so many more bytes have room."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # One at a time: two would remove twice as much as is needed.
        with FileLock(self.folder / ".lock"):
            copies = sorted(self._copies(), key=lambda one: one.used)
            excess = sum(one.n_bytes for one in copies) + n_bytes - self.most
            for one in copies:
                if (excess > 0 or one.half) and one.free:
                    # Where a file that is open cannot be removed, it stays until the next time.
                    with contextlib.suppress(OSError):
                        one.path.unlink(missing_ok=True)
                        excess -= one.n_bytes

    def keep_only(self, keys: Collection[str]) -> None:
        """Remove copies of other files, but for what was used in the last minute."""
        for one in self._copies():
            if one.free and one.path.relative_to(self.folder).as_posix() not in keys:
                with contextlib.suppress(OSError):
                    one.path.unlink(missing_ok=True)

    def _copies(self) -> Iterator[_Copy]:
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                told = path.stat()
                if path.is_file() and path.name != ".lock":
                    used = max(told.st_atime, told.st_mtime)
                    yield _Copy(path, told.st_size, used)
