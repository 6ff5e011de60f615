"""Tracks of a side in a corpus: each refers to the side by where it begins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corpus.collect.sides import Side, Track
from corpus.collect.titles import read_title
from corpus.media import SAMPLE_RATE, Media, Samples, flac_bytes
from corpus.records import Recording
from corpus.rows import Amended, Record
from corpus.workspace import Workspace

__all__ = ["overlapping", "take_tracks", "track_id"]


def track_id(side: str, start: float, end: float) -> str:
    """The id of a track: the SHA-256 of its side and its span in milliseconds."""
    span = f"{side}:{round(start * 1000)}-{round(end * 1000)}"
    return hashlib.sha256(span.encode()).hexdigest()


def take_tracks(
    workspace: Workspace, recording: Recording, side: Side, titles: Sequence[str] = ()
) -> list[Recording | None]:
    """Cut the tracks out of a side that was taken in, and note them; None for one that was purged.

    A title may name singer, palo and year too; what it does not is the side's.  What
    is known of a track already stays where no title says otherwise.  Raises
    MediaError where the audio is missing, or there is no room.
    """
    samples = workspace.media.samples(recording.id)
    found: list[Recording | None] = []
    saved: list[Record] = []
    for k, track in enumerate(side.tracks):
        id_ = track_id(recording.id, track.start, track.end)
        if workspace.store.tombstone(id_) is not None:
            found.append(None)
            continue
        duration = _cut_out(samples, track, workspace.media, id_)
        known = workspace.store.recording(id_)
        one = known or replace(
            recording,
            id=id_,
            source=f"{recording.source}#{k + 1}",
            duration=duration,
            title=f"{recording.title} {k + 1}".strip(),
            palo="",
            part_of=recording.id,
            offset=track.start,
            suffix=".flac",
            master="",
        )
        one = _titled(one, titles[k]) if k < len(titles) else one
        found.append(one)
        saved.append(Amended(before=known, after=one) if known else one)
    with workspace.store.transaction() as transaction:
        transaction.save(saved)
    return found


def overlapping(workspace: Workspace, side: str, found: Sequence[Recording]) -> list[Recording]:
    """Tracks that an earlier cut of a side left, and that overlap those of this one."""
    taken = {one.id for one in found}
    return [
        old
        for old in workspace.store.recordings()
        if old.part_of == side and old.id not in taken and any(_overlap(old, new) for new in found)
    ]


def _overlap(one: Recording, other: Recording) -> bool:
    until = min(one.offset + one.duration, other.offset + other.duration)
    return until > max(one.offset, other.offset)


def _cut_out(samples: Samples, track: Track, media: Media, id_: str) -> float:
    """Write the audio of a track where it is not there yet; gives its seconds."""
    first = round(track.start * SAMPLE_RATE)
    # The last frame of the level curve may reach over the end of the audio.
    n_samples = min(round(track.end * SAMPLE_RATE), samples.n_samples) - first
    if not media.has_flac(id_):
        audio = np.clip(samples.read(first, n_samples), -1, 1)
        with media.writing_flac(id_) as scratch:
            scratch.write_bytes(flac_bytes(audio))
    return n_samples / SAMPLE_RATE


def _titled(recording: Recording, written: str) -> Recording:
    said = read_title(written)
    return replace(
        recording,
        title=said.title,
        artist=said.artist or recording.artist,
        palo=said.palo,
        year=said.year or recording.year,
    )
