"""What a Whisper wrote down freely, each word of it placed by the aligner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from align.listening import Listening
from align.word_times import words_within
from corpus.errors import AlignmentError
from corpus.records import Segment, hull
from corpus.timed_text import Line

__all__ = ["with_words"]

_ROUGH = 0.5
"""Seconds by which Whisper's own times are off."""


def with_words(listening: Listening, segments: Sequence[Segment]) -> tuple[Line, ...]:
    """The segments, in order, as lines with their words in time.

    Whisper tells roughly when a segment is sung, and a word is looked for half a second
    around it, never in what was sung before.  A segment without letters, or that has no room
    for its words, stays as Whisper has it, without words.
    """
    found: list[Line] = []
    ends = [max(one.end, after.start) for one, after in pairwise(segments)]
    for segment, limit in zip(segments, [*ends, listening.duration], strict=False):
        start = max(segment.start - _ROUGH, found[-1].end if found else 0.0)
        end = min(segment.end + _ROUGH, limit, listening.duration)
        found.append(_line(listening, segment, start, end))
    return tuple(found)


def _line(listening: Listening, segment: Segment, start: float, end: float) -> Line:
    if start < end:
        try:
            words = words_within(listening, [segment.text], start, end)
        except AlignmentError:
            words = ()
        if words:
            first, last = hull(words)
            return Line(text=segment.text, start=first, end=last, words=words)
    return Line(text=segment.text, start=segment.start, end=segment.end)
