"""Candidates: the few verses that sound like a draft, or that a recording may be named after."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from corpus.match.bank import Bank
from corpus.records import Verse
from corpus.text import fold

__all__ = ["TitleHit", "VerseIndex", "title_forms"]

_OF_A_DRAFT = 300
_OF_THE_SOUND = 20_000
"""Verses: so many are searched in three minutes of sound in some three seconds."""


_NAMED_AFTER = 50
_LINE_WORDS = 3
"""A title of fewer words is no first line: "Soleá" begins a copla by chance."""


@dataclass(frozen=True, slots=True)
class TitleHit:
    """What the recording may be named after; agreement in 0..1.

    Verses of the letras that have one title; or one verse, by its first line.
    """

    agreement: float
    verses: tuple[tuple[str, str, int], ...]  # verse, letra, position
    first_line: bool = False


def title_forms(title: str) -> tuple[str, ...]:
    """A title as it may stand elsewhere: whole, without brackets and years, after a dash."""
    bare = re.sub(r"\([^)]*\)|\[[^]]*\]|\b(?:1[89]|20)\d\d\b", " ", title)
    forms = [fold(form) for form in (title, bare, bare.rpartition(" - ")[2])]
    return tuple(dict.fromkeys(form for form in forms if form))


class VerseIndex:
    """The verses that may be sung: by their letters (`bank`), and by the titles of their letras."""

    def __init__(self, verses: Iterable[Verse], bank: Bank | None = None) -> None:
        self.verses = {verse.id: verse for verse in verses}
        self._bank = bank or Bank()
        self._bank.update({id_: verse.text for id_, verse in self.verses.items()})
        self._by_title: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
        for id_, verse in self.verses.items():
            for source in verse.sources:
                if fold(source.title):
                    place = (id_, source.source, source.position)
                    self._by_title[fold(source.title)].append(place)

    def by_text(self, draft: str) -> list[str]:
        """The verses that may stand in a draft, the likeliest first."""
        return self._bank.by_text(draft, _OF_A_DRAFT)

    def by_readings(self, readings: Sequence[Sequence[str]]) -> list[str]:
        """The verses that may be sung where letters were heard; all of them if they are few."""
        if len(self.verses) <= _OF_THE_SOUND:
            return list(self.verses)
        return self._bank.by_readings(readings, _OF_THE_SOUND)

    def by_title(self, title: str, cutoff: float = 85.0) -> list[TitleHit]:
        """The verses of letras with this title, words in any order, best agreement first."""
        best: dict[str, float] = {}
        for form in title_forms(title):
            found = process.extract(
                form, list(self._by_title), scorer=fuzz.token_sort_ratio, score_cutoff=cutoff
            )
            for known, score, _ in found:
                best[known] = max(best.get(known, 0.0), score / 100)
        ranked = sorted(best.items(), key=_best_first)
        return [TitleHit(score, tuple(self._by_title[known])) for known, score in ranked]

    def by_first_line(self, title: str, cutoff: float = 85.0) -> list[TitleHit]:
        """The verses whose first line is this title: so cantes are named where nobody named them.

        Best agreement first.
        """
        best: dict[str, float] = {}
        for form in (form for form in title_forms(title) if len(form.split()) >= _LINE_WORDS):
            for id_ in self._bank.by_text(form, _NAMED_AFTER):
                line = fold(self.verses[id_].lines[0])
                score = fuzz.ratio(form, line, score_cutoff=cutoff)
                best[id_] = max(best.get(id_, 0.0), score / 100)
        ranked = sorted(((id_, score) for id_, score in best.items() if score), key=_best_first)
        return [TitleHit(score, (self._place(id_),), first_line=True) for id_, score in ranked]

    def _place(self, id_: str) -> tuple[str, str, int]:
        """The first letra that holds a verse."""
        first = self.verses[id_].sources[0]
        return id_, first.source, first.position


def _best_first(hit: tuple[str, float]) -> tuple[float, str]:
    return -hit[1], hit[0]
