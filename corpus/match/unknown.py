"""Where something is sung that none of the verses explains: a verse that nobody has printed yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corpus.match.hearing import Ear
from corpus.match.review import heard_between
from corpus.match.score import Evidence
from corpus.records import Segment

__all__ = ["left_over", "unknown_in"]

_LEAST = 8.0
"""Seconds: a line that is sung once more is shorter, and no verse is."""

_ALIKE = 0.8
"""Nats a letter by which a single line may fit worse than its verse, where it is sung again."""

Span = tuple[float, float]


def unknown_in(
    ear: Ear,
    chosen: Sequence[Evidence],
    verses: Sequence[Sequence[str]],
    draft: Iterable[Segment] = (),
) -> tuple[Segment, ...]:
    """The stretches of words that no chosen verse explains, with what may be sung in them.

    `verses` are the lines of the chosen ones.  The text is what a draft has there, else the
    letters that were likeliest heard.
    """
    segments = tuple(draft)
    covered = [(one.start, one.end) for one in chosen if one.start is not None and one.end]
    covered += _again(ear, chosen, verses)
    return tuple(
        Segment(
            text=heard_between(segments, start, end) or ear.letters(start, end),
            start=start,
            end=end,
        )
        for start, end in left_over(ear.sung(), covered)
    )


def _again(ear: Ear, chosen: Sequence[Evidence], verses: Sequence[Sequence[str]]) -> list[Span]:
    """Where single lines of the chosen verses are sung once more."""
    lines = [
        (line, one.sound.score - _ALIKE)
        for one, verse in zip(chosen, verses, strict=True)
        if one.sound is not None
        for line in verse
    ]
    places = ear.places([(line,) for line, _ in lines])
    return [
        (place.start, place.end)
        for mine, (_, least) in zip(places, lines, strict=True)
        for place in mine
        if place.score >= least
    ]


def left_over(spans: Iterable[Span], covered: Iterable[Span], least: float = _LEAST) -> list[Span]:
    """What of the spans is not covered, in pieces of `least` seconds at least."""
    taken = sorted(covered)
    found: list[Span] = []
    for start, end in spans:
        at = start
        for first, last in taken:
            if last <= at or first >= end:
                continue
            if first - at >= least:
                found.append((at, first))
            at = max(at, last)
        if end - at >= least:
            found.append((at, end))
    return found
