"""Marks of rights: what a licence, as a site or a person writes it, is called here."""

from __future__ import annotations

import re

from corpus.records import UNKNOWN_RIGHTS

__all__ = ["MARKS", "TEXT_MARKS", "rights_of", "text_rights"]

MARKS = (
    *("public-domain", "cc0", "cc-by", "cc-by-sa", "cc-by-nc", "cc-by-nc-sa", "cc-by-nd"),
    *("cc-by-nc-nd", "permission", "research-only", UNKNOWN_RIGHTS),
)
"""The marks, the freest first; a licence may have its version behind it, as in cc-by-4.0."""

TEXT_MARKS = ("traditional", "credited", UNKNOWN_RIGHTS)
"""What is suggested for a letra that says nothing of its rights itself."""

_FREE_SINCE = 1930
_NOBODY = re.compile(
    r"(?:letra )?(?:popular(?:es)?|tradicional(?:es)?|trad\.?|d\. ?r\.?|an[óo]nim[oa]|folclore"
    r"|dominio p[úu]blico|traditional|unknown author)(?: (?:andaluza?|espa[ñn]ola?|flamenc[oa]))?",
    re.IGNORECASE,
)

_ADDRESS = re.compile(
    r"creativecommons\.org/(?:licenses/(?P<kind>[a-z-]+)|(?P<free>publicdomain/(?:zero|mark)))"
    r"(?:/(?P<version>\d\.\d))?",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"cc[ -]?(?P<kind>by(?:[ -](?:nc|sa|nd))*)(?:[ -]?(?P<version>\d\.\d))?\b", re.IGNORECASE
)
_WORDS = (
    (r"\bcc[ -]?0\b|creative commons zero", "cc0"),
    (r"public[ -]domain|dominio p[úu]blico", "public-domain"),
    # YouTube has one licence of this kind, which is CC BY 3.0.
    (r"creative commons attribution licen[cs]e \(reuse allowed\)", "cc-by-3.0"),
    (r"^permission$|^permiso$", "permission"),
    (r"research[ -]only|^investigaci[óo]n$", "research-only"),
    (r"^unknown$|^desconocid", UNKNOWN_RIGHTS),
)


def rights_of(text: str) -> str:
    """The mark of a licence, or what was written where no mark is known; "" for nothing."""
    said = " ".join(text.split())
    address = _ADDRESS.search(said)
    if address and address["free"]:
        return "cc0" if "zero" in address["free"].lower() else "public-domain"
    short = address or _SHORT.search(said)
    if short:
        kind = re.sub(r"[ -]+", "-", short["kind"].lower())
        return f"cc-{kind}" + (f"-{short['version']}" if short["version"] else "")
    marks = (mark for words, mark in _WORDS if re.search(words, said, re.IGNORECASE))
    return next(marks, said)


def text_rights(author: str, year: str = "") -> str:
    """A suggestion for a letra, of TEXT_MARKS: traditional, by somebody who is named, or unknown.

    What was collected or written before 1930 counts as traditional.
    """
    found = re.search(r"\b(1[5-9]\d\d|20\d\d)\b", year)
    if _NOBODY.fullmatch(" ".join(author.split())) or (found and int(found[1]) < _FREE_SINCE):
        return "traditional"
    return "credited" if author.strip() else UNKNOWN_RIGHTS
