"""Spelling as letras show it: Andalusian speech written by ear, brought to one coarse form.

The form is for comparing only; texts themselves are kept as they came.  What is
levelled: -ado and -ao, -ido and -ío, final s, r, l, d and z, r and l before a consonant,
seseo and ceceo, yeísmo, b and v, h silent or breathed as j, g and j, güe, hue and bue,
lost beginnings (onde, ebajo), words grown together (pa'l, d'aquí), and the short forms of
common words.  What tells words apart stays: r and rr, n and ñ, ch, all vowels.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from corpus.text import fold

__all__ = ["fold_sound", "fold_stream"]

_COMMON = {
    form: one
    for one, forms in {
        "pa": "para",
        "to": "todo todos tos",
        "toa": "toda todas toas",
        "mu": "muy",
        "onde": "donde adonde aonde",
        "desde": "dende ende",
        "asi": "ansi ansin asin",
        "asina": "ansina",
        "mucho": "muncho munchos",
        "mucha": "muncha munchas",
        "naiden": "nadie naide",
        "mismo": "mesmo mesmos",
        "misma": "mesma mesmas",
        "po": "pues pos",
        "pue": "puede puee",
        "tie": "tiene",
        "quie": "quiere",
        "tambien": "tamien",
        "dentro": "drento",
        "i": "y",
        "uste": "usted uste vuste",
        "bide": "vide",
        "abuelo": "aguelo aguelos",
        "abuela": "aguela aguelas",
        "ermano": "jermano",
        "solea": "soledad soleda",
        "cai": "cadiz cadi",
    }.items()
    for form in forms.split()
}
"""Words so common that their short forms are words of their own."""

_BREATHED = (
    "(?:ond|art|amb|ierr|u[iy]|a[sc][ei]|ag[oa]|i[sz][oei]|abl|asta|emb|er[ií]|erm|il[oa]|orn|inc"
    "|ol[gl]|ig|arin|eʧ|undi|oj|oyo|erv|ilv|al[ly])"
)
"""How words go on that are written with h, with j, or with neither."""

_LOST = "(?:e(?:baj|sp|lant|tra|ntro|jam|jar|jal|sir|si[ao]|sea|reʧ|masia)|iner)"
"""How words go on that lose their first d."""

_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ch", "ʧ"),
        (r"ph", "f"),
        # bueno, güeno and weno; hueso and güeso
        (r"w(?=[aeio])|^hu(?=e)|^gu(?=e(?:n[oa]|l[tv]|rt|v|b))", "bu"),
        # A breathed h, from a Latin f: jondo, jarto, jierro, jacer.
        (rf"^j(?={_BREATHED})", ""),
        # The s that is breathed before another consonant: ehtá.
        (r"h(?=[^aeiouyw])", "s"),
        (r"h", ""),
        (r"^probe", "pobre"),
        (r"v", "b"),
        (r"ll", "y"),
        (r"^i(?=e)", "y"),
        (r"y$|y(?=[^aeiou])", "i"),
        (r"cc(?=[ei])|x|sc(?=[ei])|c(?=[ei])|z|ç", "s"),
        (r"[ck](?=t)|g(?=n)|p(?=[ts])|b(?=s[^aeiou])", ""),
        (r"qu(?=[ei])|[cq]", "k"),
        (r"gu(?=[ei])|g(?![ei])", "ɡ"),
        (r"g", "j"),
        (r"rr", "ʀ"),
        (r"n(?=[pb])", "m"),
        (r"(?<=a)d(?=re)", ""),
        (rf"^d(?={_LOST})", ""),
        (r"(?<=[aei])d(?=[ao]s?$)|(?<=a)d(?=it[ao]s?$)", ""),
        (r"l(?=[^aeiouy])|(?<=[bkfɡp])l", "r"),
        (r"(?<=[aeiou])[sdrljx]+$", ""),
        (r"([^\W\d])\1+", r"\1"),
    )
)  # fmt: skip
"""For one folded word, in this order, until nothing changes."""

_LEANING = frozenset(["de", "me", "te", "se", "le", "la", "lo", "ke", "pa", "to"])
"""Words that grow together with the next one where vowels meet."""

_DIAERESIS = re.compile("[gG](?:[uU]\u0308|[üÜ])(?=[eéiíEÉIÍ])")


def fold_sound(text: str) -> str:
    """How a text sounds in Andalusia, in a coarse spelling; the same again for what it gives."""
    # Folding takes dots and cedillas off, and güeno is not as guerra.
    written = unicodedata.normalize("NFC", text).replace("ç", "z").replace("Ç", "z")
    folded = fold(_DIAERESIS.sub("bu", written))
    while True:
        out = " ".join(_grown_together([_sound(word) for word in folded.split()]))
        if out == folded:
            return out
        folded = out


@lru_cache(maxsize=200_000)
def _sound(word: str) -> str:
    """One folded word; as short a form as rules give."""
    while True:
        out = _COMMON.get(word, word)
        for pattern, sound in _RULES:
            out = pattern.sub(sound, out)
        # A word of nothing but what is lost stays as it was written.
        if out in {"", word}:
            return word
        word = out


def _grown_together(words: list[str]) -> list[str]:
    """Small words with the next: where vowels meet, e gives way, else that of the small one."""
    out: list[str] = []
    for word in words:
        if not word:
            continue
        if out and out[-1] in _LEANING and word[0] in "aeiou":
            small = out.pop()
            gives_way = word[0] == "e" and small[-1] != "e"
            out.append(small + word[1:] if gives_way else small[:-1] + word)
        else:
            out.append(word)
    return out


_STREAM = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"qu(?=[ei])", "k"),
        (r"ch", "ʧ"),
        (r"h", ""),
        (r"v", "b"),
        (r"ll", "y"),
        (r"c(?=[ei])|z", "s"),
        (r"[cq]", "k"),
        (r"gu(?=[ei])", "ɡ"),
        (r"g(?=[ei])", "j"),
        (r"g", "ɡ"),
        (r"(.)\1+", r"\1"),
    )
)
"""For letters of which nobody knows where a word begins."""


def fold_stream(text: str) -> str:
    """Letters alone, without spaces, in a coarser spelling: for what was heard letter by letter.

    What the place in a word decides is left as it is: lost final consonants, words grown together.
    """
    stream = "".join(c for c in fold(text) if c.isalpha())
    for pattern, sound in _STREAM:
        stream = pattern.sub(sound, stream)
    return stream
