"""Letras that come as fields: a row of a table, an object of JSON."""

from __future__ import annotations

from collections.abc import Mapping

from corpus.lyrics.base import Flaw, Letra
from corpus.records import UNKNOWN_RIGHTS
from corpus.text import clean, fold, stanzas

__all__ = ["letra_of"]

_TEXT = ("lines", "text", "letra", "lyrics", "verse", "verso", "copla", "transcription")
_KNOWN = {
    "title": "title",
    "song": "title",
    "titulo": "title",
    "artist": "artist",
    "singer": "artist",
    "cantaor": "artist",
    "author": "artist",
    "autor": "artist",
    "palo": "palo",
    "rights": "rights",
    "license": "rights",
    "licence": "rights",
    "licencia": "rights",
}


def letra_of(part: str, fields: Mapping[str, object]) -> Letra | Flaw:
    """A letra from fields, or why there is none: `lines` or `text`, and what metadata it has."""
    named = {fold(name): value for name, value in fields.items()}
    name = next((name for name in _TEXT if named.get(name)), None)
    if name is None:
        return Flaw(part=part, reason="no text: a field 'lines' or 'text' is looked for")
    found = stanzas(_text(named.pop(name)))
    if not found:
        return Flaw(part=part, reason="a letra with no words")
    known: dict[str, str] = {"rights": UNKNOWN_RIGHTS}
    extra: list[tuple[str, str]] = []
    for field, value in named.items():
        text = clean(_text(value))
        if field in _KNOWN and text:
            known[_KNOWN[field]] = text
        elif text:
            extra.append((field, text))
    return Letra(part=part, stanzas=found, extra=tuple(sorted(extra)), **known)


def _text(value: object) -> str:
    """Text of a value; a list's members are lines, and a list of lists' are stanzas."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        nested = any(isinstance(member, list | tuple) for member in value)
        return ("\n\n" if nested else "\n").join(_text(member) for member in value)
    return str(value)
