"""Is all of a corpus as it was put there?  Every file read again, every reference followed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from corpus import tables as t
from corpus.care.dump import Step, nothing
from corpus.care.problem import Place, Problem
from corpus.care.references import row_problems
from corpus.care.sound import flac_flaw, original_flaw
from corpus.depot import Depot, Kept
from corpus.errors import MediaError, PublishError, StoreError
from corpus.media import AUDIO, flac_key, hash_file, original_key
from corpus.publish.folder import File, read_manifest
from corpus.workspace import Workspace

__all__ = ["Verified", "verify"]

_YOUNG = 3600.0
"""Seconds: what is half-written for longer was left by something that was killed."""

_MEND = "`corpus verify --mend`; a backup helps: --backup BACKUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How many recordings and files were looked at, and all that is wrong."""

    recordings: int
    files: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What the store says of the audio of a recording; a track of a side has no original."""

    id: str
    suffix: str
    duration: float
    part_of: str


def verify(workspace: Workspace, *, quick: bool = False, step: Step = nothing) -> Verified:
    """Read every file of audio and of releases again, and follow every reference of the store.

    With `quick`, files are only looked for, and their lengths compared.
    """
    began = time.time()
    problems, kept, buried = list[Problem](), list[_Row](), set[str]()
    step("rows", 0, 1)
    try:
        with workspace.store.snapshot() as connection:
            problems += row_problems(connection, quick=quick)
            kept = _recordings(connection)
            buried = set(connection.scalars(sa.select(t.tombstones.c.recording)))
    except StoreError as error:
        mend = "bring back a backup: `corpus restore BACKUP FOLDER`"
        problems.append(Problem(place="store", item="the database", says=str(error), mend=mend))
        return Verified(recordings=0, files=0, problems=tuple(problems))
    step("rows", 1, 1)
    depot = workspace.media.depot
    files = {one.key: one for area in AUDIO for one in depot.kept(area)}
    depot.tidy(files.keys())
    for k, one in enumerate(kept):
        step("audio", k, len(kept))
        problems += _audio_problems(depot, files, one, quick=quick)
    step("audio", len(kept), len(kept))
    problems += _strays(depot, files, kept, buried, began)
    releases = (workspace.root / "releases").glob("[!.]*/")
    folders = sorted(path for path in releases if path.is_dir())
    for k, folder in enumerate(folders):
        step("releases", k, len(folders))
        problems += _release_problems(folder, quick=quick)
    n_files = sum(1 if one.part_of else 2 for one in kept)
    return Verified(recordings=len(kept), files=n_files, problems=tuple(problems))


def _recordings(connection: sa.Connection) -> list[_Row]:
    c = t.recordings.c
    rows = connection.execute(sa.select(c.id, c.suffix, c.duration, c.part_of).order_by(c.id))
    return [_Row(id=r.id, suffix=r.suffix, duration=r.duration, part_of=r.part_of) for r in rows]


def _audio_problems(
    depot: Depot, files: Mapping[str, Kept], one: _Row, *, quick: bool
) -> Iterator[Problem]:
    """What is wrong with the audio of a recording; `files` are those of the depot, by key."""
    checks: dict[str, tuple[Place, Callable[[Path], str]]] = {}
    if not one.part_of:
        look = partial(original_flaw, recording=one.id, quick=quick)
        checks[original_key(one.id, one.suffix)] = ("original", look)
    heard = partial(flac_flaw, duration=one.duration, quick=quick)
    checks[flac_key(one.id)] = ("flac", heard)
    for key, (place, check) in checks.items():
        if says := _flaw(depot, files.get(key), key, check, quick=quick):
            name = depot.name(key)
            yield Problem(place=place, item=name, says=says, mend=_MEND, recording=one.id)


def _flaw(
    depot: Depot, told: Kept | None, key: str, check: Callable[[Path], str], *, quick: bool
) -> str:
    if told is None:
        return "is missing"
    if not told.n_bytes:
        return "is empty"
    if quick:
        return _quick_flaw(depot.at_hand(key), told, check)
    try:
        # What was fetched a while ago says nothing of what lies there now.
        return check(depot.fresh(key))
    except MediaError as error:
        return str(error)


def _quick_flaw(path: Path | None, told: Kept, check: Callable[[Path], str]) -> str:
    """What is wrong with a file as far as it is on this disk; `path` is None where it is not."""
    with contextlib.suppress(FileNotFoundError):
        if path is not None and path.stat().st_size != told.n_bytes:
            return f"has {told.n_bytes} bytes, and its copy here {path.stat().st_size}"
        return check(path) if path is not None else ""
    return ""


def _strays(
    depot: Depot, files: Mapping[str, Kept], kept: Sequence[_Row], buried: set[str], began: float
) -> Iterator[Problem]:
    """Files of audio that are of no recording; what came while this looked may be of a new one."""
    known = {original_key(one.id, one.suffix) for one in kept if not one.part_of}
    known |= {flac_key(one.id) for one in kept}
    for key in sorted(files.keys() - known):
        name = PurePosixPath(key)
        half = name.name.startswith(".part-")
        if files[key].changed >= 1e9 * (began - _YOUNG if half else began):
            continue
        purged = name.stem in buried
        says = "is half-written" if half else "is of no recording"
        yield Problem(
            place="stray",
            item=depot.name(key),
            says=f"{says}, which was purged" if purged else says,
            mend="remove it" if half or purged else "remove it, or `corpus collect` it",
        )


# ---- releases


def _release_problems(folder: Path, *, quick: bool) -> Iterator[Problem]:
    mend = "`corpus pull` it again, or bring back a backup: `corpus restore BACKUP FOLDER`"
    try:
        files = read_manifest(folder).files
    except PublishError as error:
        yield Problem(place="release", item=str(folder), says=str(error), mend=mend)
        return
    for name, file in files.items():
        if says := _file_flaw(folder / name, file, quick=quick):
            yield Problem(place="release", item=str(folder / name), says=says, mend=mend)


def _file_flaw(path: Path, file: File, *, quick: bool) -> str:
    try:
        if path.stat().st_size != file.bytes:
            return f"has {path.stat().st_size} bytes, not {file.bytes}"
        if not quick and hash_file(path) != file.sha256:
            return "is damaged: its bytes are not those that were released"
    except FileNotFoundError:
        return "is missing"
    except MediaError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""
