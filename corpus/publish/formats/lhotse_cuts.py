"""A row as lhotse has it: a recording, which is the clip, and what is sung in it.

https://lhotse.readthedocs.io/en/latest/corpus.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.publish.formats.base import Clip, Row, rest_of

if TYPE_CHECKING:
    from lhotse import Recording, SupervisionSegment
    from lhotse.supervision import AlignmentItem

__all__ = ["SPLITS", "recording_of", "supervision_of"]

SPLITS = {"validation": "dev"}
"""Where lhotse's and Kaldi's recipes call a split otherwise."""

_SAID = ("id", "text", "duration", "words", "singer", "sex")


def recording_of(clip: Clip, path: str) -> Recording:
    """The clip as a recording; `path` is "" where it lies in an archive."""
    from lhotse import AudioSource, Recording

    kind = "file" if path else "shar"
    return Recording(
        id=clip.name,
        sources=[AudioSource(type=kind, channels=[0], source=path)],
        sampling_rate=clip.sampling_rate,
        num_samples=clip.n_samples,
        duration=clip.seconds,
        channel_ids=[0],
    )


def supervision_of(row: Row, clip: Clip, language: str) -> SupervisionSegment:
    """The text and its words in time; what lhotse has no field for is in `custom`."""
    from lhotse import SupervisionSegment

    return SupervisionSegment(
        id=clip.name,
        recording_id=clip.name,
        start=0.0,
        duration=clip.seconds,
        channel=0,
        text=row["text"],
        language=language or None,
        speaker=row["singer"] or None,
        gender=row["sex"] or None,
        custom=rest_of(row, *_SAID),
        alignment={"word": _words(row)} if row["words"] else None,
    )


def _words(row: Row) -> list[AlignmentItem]:
    from lhotse.supervision import AlignmentItem

    return [
        AlignmentItem(word["text"], word["start"], word["end"] - word["start"], word["score"])
        for word in row["words"]
    ]
