"""Tracks of a side in a corpus: each refers to the side by where it begins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corpus.collect.sides import Side
from corpus.collect.titles import read_title
from corpus.media import SAMPLE_RATE, flac_bytes, writing
from corpus.records import Recording
from corpus.workspace import Workspace

__all__ = ["take_tracks", "track_id"]


def track_id(side: str, start: float, end: float) -> str:
    """The id of a track: the SHA-256 of its side and its span in milliseconds."""
    span = f"{side}:{round(start * 1000)}-{round(end * 1000)}"
    return hashlib.sha256(span.encode()).hexdigest()


def take_tracks(
    workspace: Workspace, recording: Recording, side: Side, titles: Sequence[str] = ()
) -> list[Recording]:
    """Cut the tracks out of a side that was taken in, and note them; what was there stays.

    A title may name singer, palo and year too; what it does not is the side's.  Raises
    MediaError where the audio is missing, or there is no room.
    """
    samples = workspace.media.samples(recording.id)
    found = []
    for k, track in enumerate(side.tracks):
        id_ = track_id(recording.id, track.start, track.end)
        first = round(track.start * SAMPLE_RATE)
        path = workspace.media.flac(id_)
        if not path.is_file():
            n_samples = round(track.end * SAMPLE_RATE) - first
            audio = np.clip(samples.read(first, n_samples), -1, 1)
            with writing(path) as scratch:
                scratch.write_bytes(flac_bytes(audio))
        written = titles[k] if k < len(titles) else f"{recording.title} {k + 1}".strip()
        said = read_title(written)
        found.append(
            replace(
                recording,
                id=id_,
                source=f"{recording.source}#{k + 1}",
                duration=track.duration,
                title=said.title if k < len(titles) else written,
                artist=said.artist or recording.artist,
                palo=said.palo if k < len(titles) else "",
                year=said.year or recording.year,
                part_of=recording.id,
                offset=track.start,
                suffix=".flac",
                master="",
            )
        )
    with workspace.store.transaction() as transaction:
        transaction.save(found)
    return found
