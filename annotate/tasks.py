"""Utterances as Label Studio tasks: what is heard, and what the aligner thinks to begin from.

A task is a clip of one utterance, or a piece of a recording of a few minutes with all that is
sung in it.  https://labelstud.io/guide/predictions describes the form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.captions import Captions
from annotate.labels import AUDIO, LABEL, TEXT
from corpus.media import SAMPLE_RATE
from corpus.records import Recording, Utterance, content_id
from corpus.show import clock

__all__ = [
    "PADDING",
    "Piece",
    "Task",
    "clip_span",
    "clips",
    "make_tasks",
    "pieces",
    "region_id",
]

PADDING = 0.5
"""Seconds that a clip has before and after its utterances, where the recording has them."""

MODEL_VERSION = "cante-corpus"

Task = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What a person hears in one task: seconds of a recording, and what is said to be in it."""

    id: str
    recording: str
    start: float
    end: float
    utterances: tuple[Utterance, ...]

    @property
    def clip(self) -> str:
        """The path of its sound, from the folder of all annotating, or the key in a bucket.

        All of a recording lie together, so that they are found when that is purged.
        """
        return f"clips/{self.recording}/{self.id}.flac"

    @property
    def seconds(self) -> float:
        """How long it is heard."""
        return self.end - self.start


def clips(utterances: Iterable[Utterance], recordings: Mapping[str, Recording]) -> list[Piece]:
    """A piece for each utterance, in their order; `recordings` by id."""
    found = []
    for one in utterances:
        start, end = clip_span(one.start, one.end, recordings[one.recording].duration)
        piece = Piece(id=one.id, recording=one.recording, start=start, end=end, utterances=(one,))
        found.append(piece)
    return found


def pieces(
    utterances: Iterable[Utterance], recordings: Mapping[str, Recording], longest: float
) -> list[Piece]:
    """Pieces of recordings, each of at most `longest` s where no utterance is longer.

    They are cut between utterances, and come in the order in which recordings first come.
    """
    by_recording: dict[str, list[Utterance]] = {}
    for one in utterances:
        by_recording.setdefault(one.recording, []).append(one)
    return [
        _piece(group, recordings[id_].duration)
        for id_, mine in by_recording.items()
        for group in _groups(sorted(mine, key=lambda one: (one.start, one.id)), longest)
    ]


def _groups(utterances: Sequence[Utterance], longest: float) -> Iterable[list[Utterance]]:
    group: list[Utterance] = []
    for one in utterances:
        if group and max(one.end, *(u.end for u in group)) - group[0].start + 2 * PADDING > longest:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _piece(group: Sequence[Utterance], duration: float) -> Piece:
    start, end = clip_span(group[0].start, max(one.end for one in group), duration)
    recording = group[0].recording
    return Piece(
        # What is aligned anew within it is another piece: its regions go by other ids.
        id=content_id("piece", recording, f"{start:.3f}-{end:.3f}", *(one.id for one in group)),
        recording=recording,
        start=start,
        end=end,
        utterances=tuple(group),
    )


def clip_span(start: float, end: float, duration: float) -> tuple[float, float]:
    """Where the clip of a stretch begins and ends in its recording of `duration` seconds.

    It begins on a sample, so that times in the clip are times in the recording less its start.
    """
    begin = math.floor(max(0.0, start - PADDING) * SAMPLE_RATE) / SAMPLE_RATE
    return begin, min(duration, end + PADDING)


def region_id(utterance: str) -> str:
    """The id of an utterance's region; Label Studio keeps it when a person edits the region."""
    return utterance[:10]


def make_tasks(
    pieces: Iterable[Piece],
    recordings: Mapping[str, Recording],
    captions: Captions | None = None,
) -> tuple[Task, ...]:
    """One task a piece, in their order; `recordings` by id."""
    words = captions or Captions()
    return tuple(_task(piece, recordings[piece.recording], words) for piece in pieces)


def _task(piece: Piece, recording: Recording, captions: Captions) -> Task:
    data = {
        AUDIO: piece.clip,
        "external_id": piece.id,
        "recording": recording.id,
        "utterances": [one.id for one in piece.utterances],
        "title": recording.title or recording.id[:12],
        "about": _about(piece, recording),
        "offset": piece.start,
        "score": _score(piece),
    }
    return {"data": data, "predictions": [prediction(piece, captions)]}


def prediction(piece: Piece, captions: Captions) -> Task:
    """What the machine thinks is in a piece, as Label Studio takes it."""
    return {
        "model_version": MODEL_VERSION,
        "score": _score(piece),
        "result": [item for one in piece.utterances for item in _region(one, piece, captions)],
    }


def _about(piece: Piece, recording: Recording) -> str:
    span = f"{clock(piece.start)}-{clock(piece.end)}"
    parts = (recording.artist, recording.palo, span, f"p {_score(piece):.2f}")
    return " · ".join(part for part in parts if part)


def _score(piece: Piece) -> float:
    """The least sure of it."""
    return min((one.score for one in piece.utterances), default=0.0)


def _region(utterance: Utterance, piece: Piece, captions: Captions) -> list[dict[str, Any]]:
    """The result items of one region; times are seconds from the start of the clip."""
    start, end = utterance.start - piece.start, utterance.end - piece.start
    span = {"start": start, "end": end, "channel": 0}
    shared = {
        "id": region_id(utterance.id),
        "to_name": AUDIO,
        "original_length": piece.seconds,
        "score": utterance.score,
    }
    labels = {**span, "labels": [captions[utterance.kind]]}
    items = [{**shared, "from_name": LABEL, "type": "labels", "value": labels}]
    # Label Studio itself writes no text item for a region without text.
    if utterance.text:
        text = {**span, "text": [utterance.text]}
        items.append({**shared, "from_name": TEXT, "type": "textarea", "value": text})
    return items
