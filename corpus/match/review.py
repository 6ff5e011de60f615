"""A verse beside what was heard in its place, for a person to decide by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from corpus.records import Segment
from corpus.spelling import fold_sound

__all__ = ["Marked", "heard_between", "side_by_side"]

_AROUND = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A word, and whether the other text has it too in that place."""

    text: str
    shared: bool


Line = tuple[Marked, ...]


def heard_between(segments: Iterable[Segment], start: float, end: float) -> str:
    """What a draft has between two times, whole segments."""
    return " ".join(
        one.text for one in segments if one.end > start - _AROUND and one.start < end + _AROUND
    )


def side_by_side(lines: Sequence[str], heard: str) -> list[tuple[Line, Line]]:
    """Each line of a verse (one at least) and the words heard for it.

    Words count as the same by their sound; those before the first line stand with that one.
    """
    written = [(k, word) for k, line in enumerate(lines) for word in line.split()]
    words = heard.split()
    mine, theirs = [fold_sound(word) for _, word in written], [fold_sound(word) for word in words]
    left: list[list[Marked]] = [[] for _ in lines]
    right: list[list[Marked]] = [[] for _ in lines]
    at = 0
    for step in Levenshtein.opcodes(mine, theirs):
        same = step.tag == "equal"
        for line, word in written[step.src_start : step.src_end]:
            at = line
            left[line].append(Marked(text=word, shared=same))
        for k, word in enumerate(words[step.dest_start : step.dest_end]):
            # Of words in the place of others each goes to the line of its counterpart.
            if step.src_start + k < step.src_end:
                at = written[step.src_start + k][0]
            right[at].append(Marked(text=word, shared=same))
    return [(tuple(a), tuple(b)) for a, b in zip(left, right, strict=True)]
