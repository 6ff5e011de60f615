"""Utterances by what they have in common: palo, singer, decade, marks, shares; and how each did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from train.data import Row
from train.findings import Group
from train.intervals import rate_of
from train.metrics import Counts

__all__ = ["group", "recording_of"]

_EDGES = (0.0, 0.1, 0.25, 0.5, 1.0)
"""Where the bins of shares end; the first holds those that have none at all."""

_NAMES = ("palo", "singer", "sex", "region")


def recording_of(row: Row) -> str:
    """The recording of an utterance; where none is named, each stands for itself."""
    return row.recording or f"row {row.number}"


def group(rows: Sequence[Row], counts: Sequence[Counts]) -> tuple[Group, ...]:
    """The groups of utterances with words, question by question; nothing of what is not known.

    Names come by the number of their utterances, decades, points and shares in their order.
    """
    members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, (row, one) in enumerate(zip(rows, counts, strict=True)):
        if one.words:
            for question, answer in _answers(row):
                members[question][answer].append(place)
    return tuple(
        _group(question, answer, [(rows[i], counts[i]) for i in places])
        for question in sorted(members, key=_rank)
        for answer, places in _sorted(question, members[question])
    )


def _answers(row: Row) -> Iterator[tuple[str, str]]:
    yield from ((name, getattr(row, name)) for name in _NAMES if getattr(row, name))
    if row.year is not None:
        yield "decade", f"{row.year // 10 * 10}s"
    yield from ((f"mark: {name}", str(points)) for name, points in row.marks)
    shares = (("quejío share", row.quejio_share), ("culture share", row.culture_share))
    yield from ((name, _bin(share)) for name, share in shares if share is not None)
    yield from ((name, getattr(row, name)) for name in ("kind", "tier") if getattr(row, name))


def _bin(share: float) -> str:
    if share <= 0:
        return "0"
    low, high = next(
        (low, high) for low, high in pairwise(_EDGES) if share <= high or high == _EDGES[-1]
    )
    return f"{low:g}-{high:g}"


_ORDER = (*_NAMES, "decade", "mark: ", "quejío share", "culture share", "kind", "tier")


def _rank(question: str) -> tuple[int, str]:
    return next(i for i, name in enumerate(_ORDER) if question.startswith(name)), question


def _sorted(question: str, members: dict[str, list[int]]) -> Sequence[tuple[str, list[int]]]:
    if question in (*_NAMES, "kind", "tier"):
        return sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return sorted(members.items())


def _group(question: str, answer: str, members: Sequence[tuple[Row, Counts]]) -> Group:
    return Group(
        by=question,
        value=answer,
        utterances=len(members),
        wer=rate_of(
            [one.errors for _, one in members],
            [one.words for _, one in members],
            [recording_of(row) for row, _ in members],
        ),
    )
