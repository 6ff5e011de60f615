"""Is all of a corpus as it was put there?  Every file read again, every reference followed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from corpus import tables as t
from corpus.care.dump import Step, nothing
from corpus.care.problem import Problem
from corpus.care.references import row_problems
from corpus.care.sound import flac_flaw, original_flaw
from corpus.errors import MediaError, PublishError, StoreError
from corpus.media import Media, hash_file
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
class _Kept:
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
    problems, kept, buried = list[Problem](), list[_Kept](), set[str]()
    step("rows", 0, 1)
    try:
        with workspace.store.snapshot() as connection:
            problems += row_problems(connection, quick=quick)
            kept = _kept(connection)
            buried = set(connection.scalars(sa.select(t.tombstones.c.recording)))
    except StoreError as error:
        mend = "bring back a backup: `corpus restore BACKUP FOLDER`"
        problems.append(Problem(place="store", item="the database", says=str(error), mend=mend))
        return Verified(recordings=0, files=0, problems=tuple(problems))
    step("rows", 1, 1)
    for k, one in enumerate(kept):
        step("audio", k, len(kept))
        problems += _audio_problems(workspace.media, one, quick=quick)
    step("audio", len(kept), len(kept))
    problems += _strays(workspace.media, kept, buried, began)
    releases = (workspace.root / "releases").glob("[!.]*/")
    folders = sorted(path for path in releases if path.is_dir())
    for k, folder in enumerate(folders):
        step("releases", k, len(folders))
        problems += _release_problems(folder, quick=quick)
    n_files = sum(1 if one.part_of else 2 for one in kept)
    return Verified(recordings=len(kept), files=n_files, problems=tuple(problems))


def _kept(connection: sa.Connection) -> list[_Kept]:
    c = t.recordings.c
    rows = connection.execute(sa.select(c.id, c.suffix, c.duration, c.part_of).order_by(c.id))
    return [_Kept(id=r.id, suffix=r.suffix, duration=r.duration, part_of=r.part_of) for r in rows]


def _audio_problems(media: Media, one: _Kept, *, quick: bool) -> Iterator[Problem]:
    """What is wrong with the audio of a recording."""
    original, flac = media.original(one.id, one.suffix), media.flac(one.id)
    if not one.part_of and (says := original_flaw(original, one.id, quick=quick)):
        yield Problem(place="original", item=str(original), says=says, mend=_MEND, recording=one.id)
    if says := flac_flaw(flac, one.duration, quick=quick):
        yield Problem(place="flac", item=str(flac), says=says, mend=_MEND, recording=one.id)


def _strays(
    media: Media, kept: Sequence[_Kept], buried: set[str], began: float
) -> Iterator[Problem]:
    """Files of audio that are of no recording; what came while this looked may be of a new one."""
    known = {media.original(one.id, one.suffix) for one in kept if not one.part_of}
    known |= {media.flac(one.id) for one in kept}
    for path in sorted(set(_audio(media)) - known):
        try:
            changed = path.stat().st_mtime
        except OSError:
            continue
        half = path.name.startswith(".part-")
        if changed >= (began - _YOUNG if half else began):
            continue
        purged = path.stem in buried
        says = "is half-written" if half else "is of no recording"
        yield Problem(
            place="stray",
            item=str(path),
            says=f"{says}, which was purged" if purged else says,
            mend="remove it" if half or purged else "remove it, or `corpus collect` it",
        )


def _audio(media: Media) -> Iterator[Path]:
    yield from media.root.glob("original/*/*")
    yield from media.root.glob("flac/*/*")


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
