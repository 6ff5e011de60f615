"""From evidence to a match: the verses that are sung, in order."""

from __future__ import annotations

from collections.abc import Iterable

from corpus.match.score import Evidence
from corpus.records import Decision, Match, MatchedVerse

__all__ = ["apart", "chain", "in_order"]


def chain(recording: str, found: Iterable[Evidence], *, accept: float, review: float) -> Match:
    """The match of a recording: verses from `accept` on, else those from `review` on.

    Scores are in 0..1.  Where nothing reaches `review` there is no match.
    """
    evidence = apart(found)
    for threshold, decision in ((accept, Decision.ACCEPTED), (review, Decision.REVIEW)):
        chosen = [one for one in evidence if one.score >= threshold]
        if chosen:
            verses = tuple(
                MatchedVerse(verse=e.verse, score=e.score, reason=e.reason, start=e.start)
                for e in in_order(chosen)
            )
            return Match(recording=recording, verses=verses, decision=decision)
    return Match(recording=recording, verses=(), decision=Decision.NONE)


def apart(found: Iterable[Evidence]) -> list[Evidence]:
    """One verse for each stretch: of variants of a copla heard in the same place, the likeliest."""
    kept: list[Evidence] = []
    for one in sorted(found, key=lambda e: (-e.score, -e.text, e.verse)):
        if not any(_same_stretch(one, other) for other in kept):
            kept.append(one)
    return kept


def _same_stretch(one: Evidence, other: Evidence) -> bool:
    """Whether two verses share more than half of the shorter one's stretch."""
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return False
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared > min(one.end - one.start, other.end - other.start) / 2


def in_order(chosen: Iterable[Evidence]) -> list[Evidence]:
    """By the time they were heard; those not heard stand where their letra has them."""
    by_place = sorted(chosen, key=lambda e: (e.letra, e.position, e.verse))
    ordered = sorted((e for e in by_place if e.start is not None), key=lambda e: e.start or 0.0)
    for one in (e for e in by_place if e.start is None):
        ordered.insert(_place(one, ordered), one)
    return ordered


def _place(one: Evidence, ordered: list[Evidence]) -> int:
    """After the last verse before it in its letra, before the first that follows, else last."""
    same = [(i, e) for i, e in enumerate(ordered) if e.letra == one.letra and one.letra]
    before = [i for i, e in same if e.position < one.position]
    after = [i for i, e in same if e.position > one.position]
    if before:
        return before[-1] + 1
    return after[0] if after else len(ordered)
