"""Candidates: the few verses that sound like a draft, or share a title with a recording."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from corpus.match.bank import Bank
from corpus.records import Verse
from corpus.text import fold

__all__ = ["VerseIndex", "title_forms"]

_OF_A_DRAFT = 300
_OF_THE_SOUND = 20_000
"""Verses: so many are searched in three minutes of sound in some three seconds."""


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
        ranked = sorted(best.items(), key=lambda hit: (-hit[1], hit[0]))
        return [TitleHit(score, tuple(self._by_title[known])) for known, score in ranked]
