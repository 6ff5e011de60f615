"""Words that are sung for their sound alone: ay, ooh, lerele, tirititrán."""

from __future__ import annotations

import re

from corpus.text import fold

__all__ = ["VOWELS", "is_vocalise"]

VOWELS = frozenset("aeiouy")

_VOCALISE = re.compile(
    r"h?[aeiou]{0,3}(ay|y|h|hay)+h*"  # ay, ayayay, ah, ooh, uh
    r"|([aeiou])\2*|[aou]{2,}h*|ye+a*h*|he+y+"
    r"|((l[aeo]+|le+re+|la+ra+|lo+lo+|na+|ti+ri+|tra+n?|tri+n?|tran)+(le+|tra+n)?)(y|i)?"
)
_WORDS = frozenset({"a", "e", "o", "u", "y", "la", "le", "lo", "na", "he", "hay"})
"""Words of the language that only look like it."""


def is_vocalise(word: str) -> bool:
    """Whether a word, as written, is a vocalise; "¡Ay!" is one, "la" and "hay" are not."""
    folded = fold(word).replace(" ", "")
    return folded not in _WORDS and _VOCALISE.fullmatch(folded) is not None
