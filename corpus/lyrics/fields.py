"""Letras that come as fields: a row of a table, an object of JSON."""

from __future__ import annotations

from collections.abc import Mapping

from corpus.lyrics.base import Flaw, Letra, letra_from
from corpus.text import clean, fold

__all__ = ["letra_of"]

_TEXT = ("lines", "text", "letra", "lyrics", "verse", "verso", "copla", "transcription")
# Where a letra has several of them, the upper one speaks: who sings before who wrote.
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

_DEEPEST = 10
"""Lists in lists: what lies deeper is no text of anybody."""


def letra_of(part: str, fields: Mapping[str, object]) -> Letra | Flaw:
    """A letra from fields, or why there is none: `lines` or `text`, and what metadata it has."""
    named = {fold(name): value for name, value in fields.items()}
    name = next((name for name in _TEXT if named.get(name)), None)
    if name is None:
        return Flaw(part=part, reason="no text: a field 'lines' or 'text' is looked for")
    text = _text(named.pop(name))
    texts = {field: clean(_text(value)) for field, value in named.items()}
    known: dict[str, str] = {}
    for field, meant in _KNOWN.items():
        if texts.get(field) and meant not in known:
            known[meant] = texts.pop(field)
    extra = tuple(sorted((field, value) for field, value in texts.items() if value))
    return letra_from(part, text, extra=extra, **known)


def _text(value: object, depth: int = 0) -> str:
    """Text of a value; a list holds lines, a list of lists stanzas; an object is no text."""
    if value is None or isinstance(value, Mapping) or depth > _DEEPEST:
        return ""
    if isinstance(value, list | tuple):
        nested = any(isinstance(member, list | tuple) for member in value)
        return ("\n\n" if nested else "\n").join(_text(member, depth + 1) for member in value)
    return str(value)
