"""From evidence to a match: the verses that are sung, in order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import log

from corpus.match.score import Evidence
from corpus.records import Decision, Match, MatchedVerse, Segment

__all__ = ["chain", "explained", "in_order"]

_SHARED = 0.2
"""Share of a verse's span at either end that another one may lie over: ends are not sharp."""

_SURE = 1e-4


def chain(
    recording: str,
    evidence: Sequence[Evidence],
    *,
    accept: float,
    review: float,
    unknown: tuple[Segment, ...] = (),
) -> Match:
    """The match of a recording: the verses from `accept` on, else those from `review` on.

    The evidence is what `explained` leaves of it; scores are probabilities.  Where nothing
    reaches `review` there is no match.
    """
    for threshold, decision in ((accept, Decision.ACCEPTED), (review, Decision.REVIEW)):
        chosen = [one for one in evidence if one.score >= threshold]
        if chosen:
            verses = tuple(
                MatchedVerse(
                    verse=e.verse, score=e.score, reason=e.reason, start=e.start, end=e.end
                )
                for e in in_order(chosen)
            )
            return Match(recording=recording, verses=verses, decision=decision, unknown=unknown)
    return Match(recording=recording, verses=(), decision=Decision.NONE, unknown=unknown)


def explained(found: Iterable[Evidence], review: float) -> list[Evidence]:
    """The verses that together explain a recording best, one for each stretch.

    Those that were heard are chosen so that their log-odds above `review` are highest in
    sum and no two stand in one place (weighted interval scheduling, Kleinberg and Tardos,
    Algorithm Design, 2006, 6.1); a verse may come again elsewhere.  Those that were not
    heard are all kept, but for verses that were heard.
    """
    enough = [one for one in found if one.score >= review]
    placed = _best_together([one for one in enough if one.start is not None], review)
    heard = {one.verse for one in placed}
    return [*placed, *(one for one in enough if one.start is None and one.verse not in heard)]


def _best_together(found: Sequence[Evidence], review: float) -> list[Evidence]:
    ordered = sorted(found, key=lambda one: (_core(one)[1], one.verse))
    ends = [_core(one)[1] for one in ordered]
    best = [0.0]
    for k, one in enumerate(ordered):
        before = bisect_right(ends, _core(one)[0], 0, k)
        best.append(max(best[k], best[before] + _worth(one, review)))
    chosen: list[Evidence] = []
    k = len(ordered)
    while k:
        if best[k] > best[k - 1]:
            chosen.append(ordered[k - 1])
            k = bisect_right(ends, _core(ordered[k - 1])[0], 0, k - 1)
        else:
            k -= 1
    return chosen[::-1]


def _core(one: Evidence) -> tuple[float, float]:
    """Where no other verse may be."""
    start, end = one.start or 0.0, one.end or 0.0
    return start + _SHARED * (end - start), end - _SHARED * (end - start)


def _worth(one: Evidence, review: float) -> float:
    """Log-odds above those of `review`; where two are alike, the text decides."""
    return _log_odds(one.score) - _log_odds(review) + _SURE * (1 + one.text)


def _log_odds(share: float) -> float:
    share = min(max(share, _SURE), 1 - _SURE)
    return log(share / (1 - share))


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
