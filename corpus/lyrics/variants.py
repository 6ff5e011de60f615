"""Variants: verses that are one copla in other words of detail, from one source or several.

Coplas share whole lines and are others all the same: what counts is how much of both is
in both, line by line, in any order.  So a word may be another, and a line of four may be
missing; half a copla with another second half is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from corpus.spelling import fold_sound

__all__ = ["SAME", "coplas_of", "likeness"]

SAME = 0.8
"""The `likeness` from which two verses are one copla; see docs/benchmarks.md, variants."""

_WHOLE = 0.88  # the same for the whole text: coplas of which half is the same have 0.72
_LINE = 0.6  # lines that are less alike than that are others: strangers have 0.45
_FEW, _EQUAL = 20, 0.92  # letters: of so few, lines of many coplas are made
_GRAM = 4  # letters
_RARE = 16  # grams of a verse that are looked up, the rarest first
_CROWD = 400  # verses: what more of them have is no sign
_SHARED = 3  # rare grams that a variant has at least, or half of them in a short one
_TRIED = 24

Lines = Sequence[str]
_Grams = NDArray[np.uint64]


def coplas_of(
    new: Mapping[str, Lines],
    known: Mapping[str, Lines],
    coplas: Mapping[str, str],
    progress: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """The copla of each new verse: that of the verse most like it, or its own id.

    Verses are lines by id; `coplas` has the copla of known verses.  A new verse is compared
    with those that are known and those before it.
    """
    ids = [*known, *new]
    folded = [_folded(lines) for lines in chain(known.values(), new.values())]
    index = _Index(folded)
    found: dict[str, str] = {}
    for place in range(len(known), len(ids)):
        likest = _likest(folded, place, index.candidates(place))
        of = ids[place if likest is None else likest]
        found[ids[place]] = found.get(of) or coplas.get(of, of)
        if progress:
            progress(len(found))
    return found


def likeness(one: Lines, other: Lines) -> float:
    """How much of two verses is in both, in 0..1, as they sound; lines may stand in any order."""
    return _likeness(_folded(one), _folded(other))


def _folded(lines: Lines) -> tuple[str, ...]:
    """Lines as they sound, without spaces; what is sung again counts once."""
    sounds = (fold_sound(line).replace(" ", "") for line in lines)
    return tuple(dict.fromkeys(sound for sound in sounds if sound))


def _likest(verses: Sequence[Lines], place: int, others: Iterable[int]) -> int | None:
    mine = verses[place]
    scored = [(_likeness(mine, verses[other]), other) for other in others]
    same = [(-score, other) for score, other in scored if score >= _needed(mine, verses[other])]
    return min(same)[1] if same else None


def _needed(one: Lines, other: Lines) -> float:
    return SAME if min(sum(map(len, one)), sum(map(len, other))) >= _FEW else _EQUAL


def _likeness(one: Lines, other: Lines) -> float:
    if not one or not other:
        return 0.0
    whole = fuzz.ratio("".join(one), "".join(other)) / 100
    # Where lines are divided in another way, the whole text tells.
    return max(_by_lines(one, other), whole if whole >= _WHOLE else 0.0)


def _by_lines(one: Lines, other: Lines) -> float:
    """Letters in pairs of lines that are alike, as they are alike, of all letters of both."""
    alike = process.cdist(one, other, scorer=fuzz.ratio) / 100
    lengths = np.add.outer([len(line) for line in one], [len(line) for line in other])
    total = sum(map(len, one)) + sum(map(len, other))
    shared = 0.0
    for _ in range(min(alike.shape)):
        pair = np.unravel_index(np.argmax(alike), alike.shape)
        if alike[pair] < _LINE:
            break
        shared += float(alike[pair] * lengths[pair])
        alike[pair[0], :] = alike[:, pair[1]] = 0
    return shared / total


class _Index:
    """Which verses have a gram of letters: numbers of verses, gram by gram."""

    def __init__(self, verses: Sequence[Lines]) -> None:
        self._grams = [_grams(lines) for lines in verses]
        sizes = [len(grams) for grams in self._grams]
        everything = np.concatenate([*self._grams, np.empty(0, np.uint64)])
        order = np.argsort(everything, kind="stable")
        self._verses = np.repeat(np.arange(len(verses), dtype=np.int32), sizes)[order]
        self._known, starts = np.unique(everything[order], return_index=True)
        self._bounds = np.append(starts, len(everything))

    def candidates(self, place: int) -> list[int]:
        """Verses before a verse that share its rare grams, those with most of them first."""
        rows = np.searchsorted(self._known, self._grams[place])
        counts = self._bounds[rows + 1] - self._bounds[rows]
        rare = rows[np.argsort(counts, kind="stable")]
        rare = rare[np.sort(counts) <= _CROWD][:_RARE]
        if not len(rare):
            return []
        having = [self._verses[self._bounds[row] : self._bounds[row + 1]] for row in rare]
        others, shared = np.unique(np.concatenate(having), return_counts=True)
        enough = (others < place) & (shared >= min(_SHARED, (len(rare) + 1) // 2))
        ranked = np.argsort(-shared[enough], kind="stable")[:_TRIED]
        found: list[int] = others[enough][ranked].tolist()
        return found


def _grams(lines: Lines) -> _Grams:
    """The grams of a verse, each once, as numbers that are the same on every machine."""
    letters = np.array([ord(c) for c in "".join(lines)], np.uint64)
    n_grams = max(1, len(letters) - _GRAM + 1)
    numbers: _Grams = np.zeros(n_grams, np.uint64)
    for k in range(min(_GRAM, len(letters))):
        numbers = numbers * np.uint64(1 << 16) + letters[k : k + n_grams]
    return np.unique(numbers) if len(letters) else np.empty(0, np.uint64)
