"""Word and character error rate over text that is made alike first.

Lower case, punctuation and signs gone, one space between words.  Accents stay:
"canto" and "cantó" are two words to a singer.  Numbers stay as they are written.
The rates are jiwer's: (substitutions + deletions + insertions) / reference, pooled
over all utterances; characters count the spaces between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scores", "normalise", "score"]

_NUMBER_SIGN = re.compile(r"(?<=\d)[.,:](?=\d)")
_APOSTROPHES = "'’‘ʼ´`′"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Errors over utterances with words in their reference, and words made up over those without.

    `wer` and `cer` are None where no reference has a word.
    """

    utterances: int = 0
    words: int = 0
    characters: int = 0
    wer: float | None = None
    cer: float | None = None
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    empty_references: int = 0
    invented_words: int = 0


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


def score(references: Sequence[str], hypotheses: Sequence[str]) -> Scores:
    """Errors of the hypotheses, one for each reference; raises ValueError when one is missing.

    An utterance whose reference has no words is not dropped: what was answered
    to it is counted as invented words, apart from the rates.
    """
    pairs = [
        (normalise(reference), normalise(hypothesis))
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    sung = [pair for pair in pairs if pair[0]]
    silent = [hypothesis for reference, hypothesis in pairs if not reference]
    invented = sum(len(hypothesis.split()) for hypothesis in silent)
    if not sung:
        return Scores(empty_references=len(silent), invented_words=invented)
    return _rates(sung, len(silent), invented)


def _rates(sung: Sequence[tuple[str, str]], n_silent: int, invented: int) -> Scores:
    import jiwer

    references, hypotheses = [pair[0] for pair in sung], [pair[1] for pair in sung]
    words = jiwer.process_words(references, hypotheses)
    characters = jiwer.process_characters(references, hypotheses)
    return Scores(
        utterances=len(sung),
        words=sum(len(reference.split()) for reference in references),
        characters=sum(map(len, references)),
        wer=words.wer,
        cer=characters.cer,
        substitutions=words.substitutions,
        deletions=words.deletions,
        insertions=words.insertions,
        empty_references=n_silent,
        invented_words=invented,
    )
