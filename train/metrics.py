"""Errors of one utterance at a time, over texts that are made alike first; sums of them are rates.

A rate is (substitutions + deletions + insertions) / reference, pooled over utterances,
by Levenshtein's alignment (the same as jiwer's).  Four readings of the text:

- as sung: lower case, punctuation and signs gone.  Accents stay: "canto" and "cantó" are two
  words to a singer.  Numbers stay as they are written.
- folded: accents gone and spellings of one sound put together (`corpus.spelling`): what is left
  are words that were heard wrong, not spelt otherwise.
- content: as sung, without function words (`train.function_words`).
- characters: those of the text as sung, with the spaces between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass, fields

from rapidfuzz.distance import Levenshtein

from corpus.records import Kind
from corpus.spelling import fold_sound
from corpus.text import fold

__all__ = ["Counts", "count", "is_cry", "normalise", "score", "total"]

_NUMBER_SIGN = re.compile(r"(?<=\d)[.,:](?=\d)")
_APOSTROPHES = "'’‘ʼ´`′"

_CRY = re.compile(
    r"a+[yi]+|u+y+|o+y+|le(?:re|le)+|la(?:ra|la)+|(?:lo)+(?:lai)(?:lo)*|(?:lo){2,}"
    r"|ti+ri(?:ti|ri)*tran|(?:tran)+|trajili\w*|(?:nai)+no*"
)
"""Words that are sung for their sound, folded: ay, lere, larala, lolailo, tirititran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What one utterance adds to every rate: units of the reference, and errors.

    Where the reference has no word, all but `invented` (words written all the same) is 0.
    `cries` are words of quejíos, `cries_missed` those that were left out.
    """

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    characters: int = 0
    character_errors: int = 0
    folded_words: int = 0
    folded_errors: int = 0
    content_words: int = 0
    content_errors: int = 0
    cries: int = 0
    cries_missed: int = 0
    silent: int = 0
    invented: int = 0

    @property
    def errors(self) -> int:
        """Word errors as sung."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float | None:
        """Word error rate as sung; None where no reference has a word."""
        return self.errors / self.words if self.words else None

    @property
    def cer(self) -> float | None:
        """Character error rate as sung, likewise."""
        return self.character_errors / self.characters if self.characters else None


def normalise(text: str) -> str:
    """The text as it is compared; an apostrophe joins ("pa'lante" is "palante"), a dash parts."""
    out = []
    composed = unicodedata.normalize("NFC", text).lower()
    inside_number = {found.start() for found in _NUMBER_SIGN.finditer(composed)}
    for i, char in enumerate(composed):
        if i in inside_number or unicodedata.category(char)[0] in "LMN":
            out.append(char)
        elif char not in _APOSTROPHES:
            out.append(" ")
    return " ".join("".join(out).split())


def score(references: Sequence[str], hypotheses: Sequence[str]) -> Counts:
    """The errors of all hypotheses together; raises ValueError when one is missing."""
    return total([count(*pair) for pair in zip(references, hypotheses, strict=True)])


def total(counts: Sequence[Counts]) -> Counts:
    """What they add up to."""
    names = [one.name for one in fields(Counts)]
    return Counts(**{name: sum(getattr(one, name) for one in counts) for name in names})


def is_cry(word: str) -> bool:
    """Whether a word as sung is one of a quejío or of a vocalise, and says nothing."""
    return _CRY.fullmatch(fold(word)) is not None


def count(
    reference: str,
    hypothesis: str,
    *,
    kind: str = "",
    language: str = "es",
    function_words: Set[str] = frozenset(),
) -> Counts:
    """The errors of one utterance.

    `kind` is one of `corpus.records.Kind`: in a quejío every word is a cry.  Spellings of one
    sound are put together in Spanish; elsewhere only accents go.
    """
    sung, written = normalise(reference), normalise(hypothesis)
    words, answer = sung.split(), written.split()
    if not words:
        return Counts(silent=1, invented=len(answer))
    tags = [op.tag for op in Levenshtein.editops(words, answer)]
    sound = fold_sound if language == "es" else fold
    heard, folded = sound(sung).split(), sound(written).split()
    said = [word for word in words if fold(word) not in function_words]
    cries, missed = _cries(words, answer, everything=kind == Kind.QUEJIO.value)
    return Counts(
        words=len(words),
        substitutions=tags.count("replace"),
        deletions=tags.count("delete"),
        insertions=tags.count("insert"),
        characters=len(sung),
        character_errors=Levenshtein.distance(sung, written),
        folded_words=len(heard),
        folded_errors=Levenshtein.distance(heard, folded),
        content_words=len(said),
        content_errors=Levenshtein.distance(
            said, [word for word in answer if fold(word) not in function_words]
        ),
        cries=cries,
        cries_missed=missed,
    )


def _cries(words: Sequence[str], answer: Sequence[str], *, everything: bool) -> tuple[int, int]:
    """How many words are cries, and how many of these were left out, accents set aside."""
    cries = {i for i, word in enumerate(words) if everything or is_cry(word)}
    if not cries:
        return 0, 0
    ops = Levenshtein.editops(list(map(fold, words)), list(map(fold, answer)))
    return len(cries), sum(op.tag == "delete" and op.src_pos in cries for op in ops)
