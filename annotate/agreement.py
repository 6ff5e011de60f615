"""How far people agree who heard the same: texts, ends and kinds, and marks of recordings.

Only what was handed in counts, and of each person the newest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from rapidfuzz.distance import Levenshtein

from corpus.records import Annotation, Description, Utterance, Verdict
from corpus.text import fold

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Agreement", "agreement", "disputed"]

_APART = 0.3
"""Seconds between two people's ends from which a third is asked."""

_OTHER_WORDS = 0.1
"""The word error rate between two people from which a third is asked."""

_ENOUGH = 3
"""People who heard one utterance: nobody else is asked."""

_NOT_SUNG = "not sung"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What two people or more heard; what cannot be told of so little is None.

    `word_error_rate` counts the words that differ between two people in those of either
    (case, accents and punctuation aside), `boundaries` are seconds between their ends: the
    median and what 95 of 100 stay below.  `alpha` is Krippendorff's (Content Analysis, 2004,
    chapter 11): nominal for kinds, palos, voices and regions, ordinal for marks.
    """

    utterances: int
    pairs: int
    word_error_rate: float | None
    boundaries: tuple[float, float] | None
    alpha: tuple[tuple[str, float | None], ...]


def agreement(
    annotations: Iterable[Annotation],
    descriptions: Iterable[Description],
    marks: Sequence[str],
    *,
    person: str = "",
) -> Agreement:
    """How far people agree; `marks` are the questions that are answered in degrees.

    With `person`, how far that one agrees with others, in what they heard too.
    """
    heard = _by_utterance(annotations).items()
    shared = {id_: said for id_, said in heard if len(said) > 1 and _of(said, person)}
    pairs = [
        pair for said in shared.values() for pair in combinations(said, 2) if _of(pair, person)
    ]
    kept = [pair for pair in pairs if not any(map(_rejected, pair))]
    gaps = sorted(gap for pair in kept for gap in _gaps(*pair))
    kinds = {id_: {one.annotator: _kind(one) for one in said} for id_, said in shared.items()}
    return Agreement(
        utterances=len(shared),
        pairs=len(pairs),
        word_error_rate=_word_error_rate(kept),
        boundaries=(median(gaps), gaps[int(0.95 * (len(gaps) - 1))]) if gaps else None,
        alpha=(("kind", _alpha(kinds, ordinal=False)), *_answers(descriptions, marks)),
    )


def _of(said: Iterable[Annotation], person: str) -> bool:
    """Whether a person is among those who said it; anybody, where that is ""."""
    return not person or any(one.annotator == person for one in said)


def disputed(annotations: Iterable[Annotation], utterances: Mapping[str, Utterance]) -> list[str]:
    """The utterances that somebody else has to hear, by id: people differ, or one has flagged it.

    Those that three people have heard are left to who looks at the corpus.
    """
    return [
        id_
        for id_, said in _by_utterance(annotations, flagged=True).items()
        if id_ in utterances and len(said) < _ENOUGH and _in_doubt(said)
    ]


def _in_doubt(said: Sequence[Annotation]) -> bool:
    if said[-1].verdict is Verdict.FLAGGED:
        return True
    spoken = [one for one in said if one.verdict is not Verdict.FLAGGED]
    return any(_differ(one, other) for one, other in combinations(spoken, 2))


def _differ(one: Annotation, other: Annotation) -> bool:
    if _kind(one) != _kind(other):
        return True
    if _rejected(one):
        return False
    rate = _word_error_rate([(one, other)])
    return max(_gaps(one, other)) > _APART or (rate or 0.0) > _OTHER_WORDS


def _by_utterance(
    annotations: Iterable[Annotation], *, flagged: bool = False
) -> dict[str, list[Annotation]]:
    """The newest of each person, in the order of time; nobody was asked twice what was replaced."""
    newest: dict[str, dict[str, Annotation]] = defaultdict(dict)
    for one in sorted(annotations, key=lambda one: (one.made, one.id)):
        counts = flagged or one.verdict is not Verdict.FLAGGED
        if one.verdict.decides and counts and not _replaced(one):
            newest[one.utterance].pop(one.annotator, None)
            newest[one.utterance][one.annotator] = one
    return {id_: list(said.values()) for id_, said in newest.items()}


def _replaced(one: Annotation) -> bool:
    """Whether it only says that another's region is not among this person's."""
    return one.verdict is Verdict.REJECTED and bool(one.remark)


def _rejected(one: Annotation) -> bool:
    return one.verdict is Verdict.REJECTED


def _kind(one: Annotation) -> str:
    return _NOT_SUNG if _rejected(one) else one.kind.value


def _gaps(one: Annotation, other: Annotation) -> tuple[float, float]:
    return abs(one.start - other.start), abs(one.end - other.end)


def _word_error_rate(pairs: Iterable[tuple[Annotation, Annotation]]) -> float | None:
    n_edits, n_words = 0, 0.0
    for one, other in pairs:
        mine, theirs = fold(one.text).split(), fold(other.text).split()
        n_edits += Levenshtein.distance(mine, theirs)
        n_words += fmean((len(mine), len(theirs)))
    return n_edits / n_words if n_words else None


# ---- Krippendorff's alpha


def _answers(
    descriptions: Iterable[Description], marks: Sequence[str]
) -> list[tuple[str, float | None]]:
    told: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for one in sorted(descriptions, key=lambda one: (one.made, one.id)):
        for question, answer in one.answers:
            told[question][one.recording][one.annotator] = answer
    nominal = ("palo", "sex", "region")
    return [
        (name, _alpha(told[name], ordinal=name in marks))
        for name in (*nominal, *marks)
        if name in told
    ]


def _alpha(told: Mapping[str, Mapping[str, Hashable]], *, ordinal: bool) -> float | None:
    """Of answers by what was asked about and by person.

    None where nothing was told twice, or all say the same of everything: chance then says so too.
    """
    import krippendorff

    twice = {unit: said for unit, said in told.items() if len(said) > 1}
    values = sorted({str(answer) for said in twice.values() for answer in said.values()})
    if len(values) < 2:
        return None
    matrix = _matrix(twice, values)
    return float(
        krippendorff.alpha(
            reliability_data=matrix, level_of_measurement="ordinal" if ordinal else "nominal"
        )
    )


def _matrix(
    told: Mapping[str, Mapping[str, Hashable]], values: Sequence[str]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Rows are people, columns what was asked about, NaN where somebody was not asked."""
    import numpy as np

    people = sorted({person for said in told.values() for person in said})
    matrix = np.full((len(people), len(told)), np.nan)
    for column, said in enumerate(told.values()):
        for person, answer in said.items():
            matrix[people.index(person), column] = values.index(str(answer))
    return matrix
