"""Utterances as Label Studio tasks: one clip each, with what the aligner thinks to begin from.

https://labelstud.io/guide/predictions describes the form.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from annotate.labels import AUDIO, KINDS, LABEL, PALO, TEXT
from corpus.media import SAMPLE_RATE
from corpus.records import Recording, Utterance

__all__ = ["PADDING", "Task", "clip_name", "clip_span", "make_tasks", "region_id", "worst_first"]

PADDING = 0.5
"""Seconds that a clip has before and after its utterance, where the recording has them."""

_MODEL_VERSION = "cante-corpus"

Task = dict[str, Any]


def worst_first(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Utterances by score, the least sure first; equals in the order of recording and time."""
    return sorted(utterances, key=lambda u: (u.score, u.recording, u.start, u.id))


def clip_span(utterance: Utterance, duration: float) -> tuple[float, float]:
    """Where the clip of an utterance begins and ends in its recording of `duration` seconds.

    It begins on a sample, so that times in the clip are times in the recording less its start.
    """
    start = math.floor(max(0.0, utterance.start - PADDING) * SAMPLE_RATE) / SAMPLE_RATE
    return start, min(duration, utterance.end + PADDING)


def clip_name(utterance: str) -> str:
    """The path of an utterance's clip, from the folder of the tasks."""
    return f"clips/{utterance}.flac"


def region_id(utterance: str) -> str:
    """The id of an utterance's region; Label Studio keeps it when a person edits the region."""
    return utterance[:10]


def make_tasks(
    utterances: Iterable[Utterance], recordings: Mapping[str, Recording]
) -> tuple[Task, ...]:
    """One task an utterance, the worst score first; `recordings` by id."""
    return tuple(_task(u, recordings[u.recording]) for u in worst_first(utterances))


def _task(utterance: Utterance, recording: Recording) -> Task:
    start, end = clip_span(utterance, recording.duration)
    data = {
        AUDIO: clip_name(utterance.id),
        "external_id": utterance.id,
        "title": recording.title,
        "singer": recording.artist,
        PALO: recording.palo,
        "offset": start,
    }
    prediction = {
        "model_version": _MODEL_VERSION,
        "score": utterance.score,
        "result": _region(utterance, start, end - start),
    }
    return {"data": data, "predictions": [prediction]}


def _region(utterance: Utterance, offset: float, length: float) -> list[dict[str, Any]]:
    """The result items of one region; times are seconds from the start of the clip."""
    span = {"start": utterance.start - offset, "end": utterance.end - offset, "channel": 0}
    shared = {
        "id": region_id(utterance.id),
        "to_name": AUDIO,
        "original_length": length,
        "score": utterance.score,
    }
    labels = {**span, "labels": [KINDS[utterance.kind]]}
    items = [{**shared, "from_name": LABEL, "type": "labels", "value": labels}]
    # Label Studio itself writes no text item for a region without text.
    if utterance.text:
        text = {**span, "text": [utterance.text]}
        items.append({**shared, "from_name": TEXT, "type": "textarea", "value": text})
    return items
