"""What a new alignment changed: utterances before and after, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from corpus.records import Utterance
from corpus.text import fold

__all__ = ["CHANGED", "Change", "changes"]

CHANGED = "changed"
"""The stage of utterances that came out otherwise than before, as progress is kept by it."""

_SAME_PLACE = 0.3
"""Seconds by which ends may move and nobody would hear it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An utterance as it is now; what stood there before, None where nothing did; and how far."""

    after: Utterance
    before: Utterance | None
    words: bool
    seconds: float


def changes(before: Iterable[Utterance], after: Iterable[Utterance]) -> list[Change]:
    """What is sung otherwise by now, or elsewhere: texts first, then by how far ends moved.

    An utterance is compared with that before which shares most of its time.
    """
    there: dict[str, list[Utterance]] = defaultdict(list)
    for one in before:
        there[one.recording].append(one)
    found = list(_changed(there, after))
    return sorted(found, key=lambda c: (not c.words, -c.seconds, c.after.recording, c.after.start))


def _changed(there: dict[str, list[Utterance]], after: Iterable[Utterance]) -> Iterator[Change]:
    for one in after:
        old = max(there[one.recording], key=lambda other: _shared(one, other), default=None)
        if old is None or _shared(one, old) <= 0:
            yield Change(after=one, before=None, words=True, seconds=one.duration)
            continue
        words = _folded(one) != _folded(old) or one.kind is not old.kind
        moved = max(abs(one.start - old.start), abs(one.end - old.end))
        if words or moved > _SAME_PLACE:
            yield Change(after=one, before=old, words=words, seconds=moved)


def _shared(one: Utterance, other: Utterance) -> float:
    return min(one.end, other.end) - max(one.start, other.start)


def _folded(one: Utterance) -> str:
    return " ".join(fold(one.text).split())
