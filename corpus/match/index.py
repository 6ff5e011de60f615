"""Candidates: the few verses that share words with a draft, or a title with a recording."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from corpus.records import Verse
from corpus.spelling import fold_sound
from corpus.text import fold

__all__ = ["VerseIndex", "title_forms"]

_SHORTEST = 4  # letters: shorter words are in every copla


@dataclass(frozen=True, slots=True)
class TitleHit:
    """Verses of letras whose title is that of the recording; agreement in 0..1."""

    agreement: float
    verses: tuple[tuple[str, str, int], ...]  # verse, letra, position


def title_forms(title: str) -> tuple[str, ...]:
    """A title as it may stand elsewhere: whole, without brackets and years, after a dash."""
    bare = re.sub(r"\([^)]*\)|\[[^]]*\]|\b(?:1[89]|20)\d\d\b", " ", title)
    forms = [fold(form) for form in (title, bare, bare.rpartition(" - ")[2])]
    return tuple(dict.fromkeys(form for form in forms if form))


class VerseIndex:
    """An inverted index of the verses' longer words, and one of their titles."""

    def __init__(self, verses: Iterable[Verse]) -> None:
        self.verses = {verse.id: verse for verse in verses}
        self._by_word: dict[str, list[str]] = defaultdict(list)
        self._by_title: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
        for id_, verse in self.verses.items():
            for word in set(_words(fold_sound(verse.text))):
                self._by_word[word].append(id_)
            for source in verse.sources:
                if fold(source.title):
                    place = (id_, source.source, source.position)
                    self._by_title[fold(source.title)].append(place)

    def by_text(self, folded: str, limit: int = 200) -> list[str]:
        """The verses that share most words with a text (by `fold_sound`), rare words first."""
        scores: Counter[str] = Counter()
        for word in set(_words(folded)):
            having = self._by_word.get(word, ())
            weight = math.log1p(len(self.verses) / (1 + len(having)))
            for id_ in having:
                scores[id_] += weight  # type: ignore[assignment]  # a Counter adds floats as well
        ranked = sorted(scores.items(), key=lambda found: (-found[1], found[0]))
        return [id_ for id_, _ in ranked[:limit]]

    def by_title(self, title: str, cutoff: float = 85.0) -> list[TitleHit]:
        """The verses of letras with this title, words in any order, best agreement first."""
        best: dict[str, float] = {}
        for form in title_forms(title):
            found = process.extract(
                form, list(self._by_title), scorer=fuzz.token_sort_ratio, score_cutoff=cutoff
            )
            for known, score, _ in found:
                best[known] = max(best.get(known, 0.0), score / 100)
        ranked = sorted(best.items(), key=lambda hit: (-hit[1], hit[0]))
        return [TitleHit(score, tuple(self._by_title[known])) for known, score in ranked]


def _words(folded: str) -> list[str]:
    return [word for word in folded.split() if len(word) >= _SHORTEST]
