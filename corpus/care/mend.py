"""Audio that is missing or damaged, brought back from wherever its bytes still are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from corpus.care.dump import Step, nothing
from corpus.care.manifest import Manifest
from corpus.care.problem import Problem
from corpus.care.restore import reading
from corpus.care.shelf import Reader, copied, opened
from corpus.care.sound import flac_flaw, is_damaged, original_flaw
from corpus.errors import BackupError, DiskFullError, MediaError
from corpus.media import SAMPLE_RATE, Media, decode, flac_bytes, flac_key, hash_file, original_key
from corpus.records import Recording
from corpus.workspace import Workspace

__all__ = ["mend"]

_Write = Callable[[], AbstractContextManager[Path]]
"""Gives a path that takes the place of what is damaged, when all of it is there."""


def mend(
    workspace: Workspace,
    problems: Sequence[Problem],
    backup: Path | None = None,
    step: Step = nothing,
) -> list[Problem]:
    """Bring audio back that `verify` found missing or damaged; gives the problems that are left.

    An original comes from the file that was collected, where that is still the same, or from a
    backup; what stages hear from a backup, or it is decoded or cut again.  Raises BackupError
    where the backup cannot be read, DiskFullError without room.
    """
    recordings = {one.id: one for one in workspace.store.recordings()}
    # A track is cut from its side, and that is decoded from its original.
    order = {"original": 0, "flac": 1}
    audio = [one for one in problems if one.place in order and one.recording in recordings]
    audio.sort(key=lambda p: (bool(recordings[p.recording].part_of), order[p.place]))
    mended = set()
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(reading(backup)) if backup else None
        mender = _Mender(workspace.media, reader, reader.manifest() if reader else None)
        for k, problem in enumerate(audio):
            step("mending", k, len(audio))
            one = recordings[problem.recording]
            if mender.original(one) if problem.place == "original" else mender.flac(one):
                mended.add(problem)
    step("mending", len(audio), len(audio))
    return [problem for problem in problems if problem not in mended]


@dataclass(frozen=True, slots=True)
class _Mender:
    """Where bytes may be had from; `reader` is a backup, where one was named."""

    media: Media
    reader: Reader | None
    manifest: Manifest | None

    def original(self, one: Recording) -> bool:
        """Bring an original back; whether that went well."""
        write = partial(self.media.writing_original, one.id, one.suffix)
        stored = f"media/{original_key(one.id, one.suffix)}"
        return _from_file(Path(one.source), write, one.id) or self._stored(stored, write, one.id)

    def flac(self, one: Recording) -> bool:
        """Bring back what stages hear; whether that went well."""
        write = partial(self.media.writing_flac, one.id)
        # First: another FFmpeg may decode a little otherwise.
        if self._stored(f"media/{flac_key(one.id)}", write) and not self._flaw(one):
            return True
        try:
            _make_flac(self.media, one)
        except DiskFullError:
            raise
        except MediaError:
            return False
        return not self._flaw(one)

    def _flaw(self, one: Recording) -> str:
        return flac_flaw(self.media.flac(one.id), one.duration, quick=False)

    def _stored(self, path: str, write: _Write, digest: str = "") -> bool:
        """Copy a file out of the backup; whether it was there, and is as it was stored."""
        stored = self.manifest.files.get(path) if self.manifest else None
        if self.reader is None or stored is None or digest not in {"", stored.sha256}:
            return False
        with contextlib.suppress(BackupError), self.reader.open(stored.sha256) as data:
            return _written(data, write, stored.sha256)
        return False


def _make_flac(media: Media, one: Recording) -> None:
    """Decode an original that is whole, or cut a track out of its side."""
    if not one.part_of:
        original = media.original(one.id, one.suffix)
        if not original_flaw(original, one.id, quick=False):
            with media.writing_flac(one.id) as scratch:
                decode(original, scratch)
        return
    first, n_samples = (round(seconds * SAMPLE_RATE) for seconds in (one.offset, one.duration))
    side = media.samples(one.part_of)
    # Cut out of a damaged side, it would look whole.
    if not is_damaged(side):
        track = side.read_pcm(first, n_samples)
        with media.writing_flac(one.id) as scratch:
            scratch.write_bytes(flac_bytes(track))


def _from_file(source: Path, write: _Write, digest: str) -> bool:
    """Copy the file that was collected, where it is still the same."""
    try:
        if not source.is_file() or hash_file(source) != digest:
            return False
        with opened(source) as data:
            return _written(data, write, digest)
    except DiskFullError:
        raise
    except (OSError, MediaError):
        return False


def _written(data: IO[bytes], write: _Write, digest: str) -> bool:
    """Write what has this digest; whether it was that."""
    with contextlib.suppress(BackupError), write() as scratch:
        with scratch.open("wb") as out:
            if copied(data, out) != digest:
                raise BackupError("it is damaged in the backup")
        return True
    return False
