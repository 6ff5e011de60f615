"""Files and folders that stand whole under their name, or not at all, whatever ends the process.

What is being made lies beside its target under a hidden name, always the same for one target, and
is held by a lock that goes with its process.  So who makes the same again after a kill clears away
what was left; who makes it at the same time does not.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import DiskFullError, MediaError

if sys.platform != "win32":
    import fcntl

__all__ = ["HALF", "disk_error", "making", "refusal", "removed", "writing"]

HALF = ".part-"
"""How the name of what is being made begins."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def writing(target: Path, *, private: bool = False, once: bool = False) -> Iterator[Path]:
    """A new path beside `target`, which takes its place when all went well, and goes when not.

    A `private` file is its owner's alone.  With `once`, what another process has made there
    meanwhile stays.  Raises DiskFullError or MediaError for what the file system refuses.
    """
    try:
        made = _made(target.parent)
        with _held(target, _FILE, alone=once) as scratch:
            yield scratch
            _sync(scratch)
            scratch.chmod(0o600 if private else 0o644)
            if once and target.exists():
                scratch.unlink()
            else:
                scratch.replace(target)
        for folder in made:
            _sync(folder)
    except OSError as error:
        raise disk_error(error, target) from error


@contextlib.contextmanager
def making(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, which becomes it when all went well, and goes when not.

    An empty folder may stand there.  Who makes the same at the same time is waited for.  Raises
    OSError for what the file system refuses, as to put a folder where something is.
    """
    made = _made(target.parent)
    with _held(target, _FOLDER, alone=True) as scratch:
        yield scratch
        scratch.chmod(0o755)
        for path in (*scratch.rglob("*"), scratch):
            if not path.is_symlink():
                _sync(path)
        if target.is_dir():
            target.rmdir()
        scratch.rename(target)
    for folder in made:
        _sync(folder)


def removed(path: Path) -> int:
    """Remove a file; gives 1, or 0 where there was none.  Raises MediaError where it stays."""
    if not path.is_file():
        return 0
    try:
        path.unlink()
    except OSError as error:
        raise MediaError(f"{path} cannot be removed: {error.strerror}") from error
    return 1


def disk_error(error: OSError, target: Path) -> MediaError:
    """What the file system refuses for a file."""
    kind = DiskFullError if error.errno in _FULL else MediaError
    return kind(refusal(error, target.parent))


def refusal(error: OSError, folder: Path) -> str:
    """What the file system refuses in a folder, or for it, in one line."""
    if error.errno in _FULL:
        return f"no room left on the disk for {folder}: make room, run again"
    return f"cannot write in {folder}: {error.strerror or error}"


# ---- what is lasting


def _made(folder: Path) -> list[Path]:
    """Make a folder and those above it; all in which a name is new when something is put there."""
    above = [one.parent for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [folder, *above]


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk: a power cut takes nothing of it."""
    # Windows opens no folder, and keeps names by itself.
    if sys.platform == "win32" and path.is_dir():
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# ---- who is at it


@dataclass(frozen=True, slots=True)
class _Kind:
    """How something that is being made comes into being, and goes."""

    make: Callable[[Path], None]
    remove: Callable[[Path], None]


def _new_file(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


_FILE = _Kind(_new_file, Path.unlink)
_FOLDER = _Kind(lambda path: path.mkdir(0o700), shutil.rmtree)


@contextlib.contextmanager
def _held(target: Path, kind: _Kind, *, alone: bool = False) -> Iterator[Path]:
    """Something that is made beside `target` and is this process's own; it goes where that fails.

    With `alone`, whoever makes the same is waited for.
    """
    scratch, lock = _claimed(target, kind, alone=alone)
    try:
        yield scratch
    except BaseException:
        with contextlib.suppress(OSError):
            kind.remove(scratch)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _claimed(target: Path, kind: _Kind, *, alone: bool) -> tuple[Path, int | None]:
    """A new path, and the lock on it where there are locks."""
    name = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    nth = 0
    while True:
        path = target.with_name(f"{HALF}{name}{f'-{nth}' if nth else ''}{target.suffix}")
        try:
            kind.make(path)
        except FileExistsError:
            nth += not _cleared(path, kind, wait=alone)
            continue
        try:
            return path, _lock(path, wait=False)
        except (BlockingIOError, FileNotFoundError):
            continue  # before it was locked, somebody took it for what a killed process had left
        except OSError as error:
            # What nobody can lock, nobody clears away.
            if error.errno in _NO_LOCKS:
                return path, None
            raise


def _cleared(path: Path, kind: _Kind, *, wait: bool) -> bool:
    """Remove what nobody holds any more; whether the place is free now."""
    try:
        lock = _lock(path, wait=wait)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        kind.remove(path)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


_NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}
"""A network's file system may have none, or none for folders."""


def _lock(path: Path, *, wait: bool) -> int:
    """Hold what stands at a path; the lock goes when it is closed, or its process ends.

    Raises BlockingIOError where another process has it, FileNotFoundError where it is gone.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    opened = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        # While it was waited for, it may have taken its place, and another one this.
        mine = os.path.samestat(os.fstat(opened), path.stat())
    except BaseException:
        os.close(opened)
        raise
    if mine:
        return opened
    os.close(opened)
    return _lock(path, wait=wait)
