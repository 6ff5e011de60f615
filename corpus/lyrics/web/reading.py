"""From a page to its letras, by the rules of a site.

A line belongs to the headings that stand last before it, each of its rank, and to the last
note that began a letra; so what stands below one estilo never goes to another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from lxml import etree  # type: ignore[import-untyped]  # ships no types
from parsel import Selector

from corpus.lyrics.base import Flaw, Letra, letra_from
from corpus.lyrics.web.html import Line, found, lines_of, text_of
from corpus.lyrics.web.rules import Heading, Reading, SiteRules
from corpus.rights import rights_of
from corpus.text import clean

__all__ = ["letras_of"]

_Fields = dict[str, str]
_MOST_IN_HEADING = 200
"""Elements."""
_OWN = ("title", "artist", "palo")
"""Fields that a letra has by name; all others are extra."""


def letras_of(page: Selector, rules: SiteRules) -> list[Letra]:
    """The letras of a page in order, each with its number (from 1) as its part."""
    reading = rules.read
    said = _page_fields(page, reading)
    letras: list[Letra] = []
    for lines in _stretches(page, reading):
        for fields, text in _sheets(lines, reading):
            kept = _sung(text, reading)
            known = said | fields
            if not all(known.get(name) for name in reading.needs):
                continue
            letra = _letra(str(len(letras) + 1), kept, known, rules.licence)
            if letra is not None:
                letras.append(letra)
    return letras


def _page_fields(page: Selector, reading: Reading) -> _Fields:
    fields: _Fields = {}
    for name, where in reading.fields.items():
        fields |= _named(name, where.pattern, text_of(page, where.select)) or {}
    return fields


def _named(name: str, pattern: re.Pattern[str] | None, text: str) -> _Fields | None:
    """The fields that a text says; None where it has not the pattern that it should have."""
    if pattern is None:
        return {name: text} if text else {}
    match = pattern.search(text)
    if match is None:
        return None
    groups = {field: clean(value) for field, value in match.groupdict().items() if value}
    return groups if pattern.groupindex else {name: clean(match[0])}


def _stretches(page: Selector, reading: Reading) -> Iterator[list[Line]]:
    """The lines of each element that holds letras; one inside another is read once."""
    roots = found(page, reading.verses)
    dropped = [element for selector in reading.drop for element in found(page, selector)]
    dropped += _examples(page, reading)
    headings = _headings(page, reading.headings)
    for root in _outermost(page, roots):
        yield lines_of(root, headings, dropped, paragraphs_are_lines=reading.paragraphs_are_lines)


def _outermost(page: Selector, roots: Sequence[etree._Element]) -> list[etree._Element]:
    """Those that are in no other, by one walk through the page: it may be nested without end."""
    wanted = set(roots)
    found: list[etree._Element] = []
    walk = etree.iterwalk(page.root, events=("start",))
    for _, node in walk:
        if node in wanted:
            found.append(node)
            walk.skip_subtree()
    return found


def _examples(page: Selector, reading: Reading) -> list[etree._Element]:
    """Links to what is heard: their text is not sung."""
    if reading.examples is None:
        return []
    return [link for link in found(page, "//a[@href]") if reading.examples.search(link.get("href"))]


def _headings(page: Selector, headings: Sequence[Heading]) -> dict[etree._Element, int]:
    """The rank of each element that is a heading; of two ranks the upper one."""
    ranks: dict[etree._Element, int] = {}
    for rank, heading in enumerate(headings):
        for element in found(page, heading.select):
            if _is_large(element):
                continue
            text = " ".join(line.text for line in lines_of(element))
            if text.strip() and _named(heading.field, heading.pattern, text) is not None:
                ranks.setdefault(element, rank)
    return ranks


def _is_large(element: etree._Element) -> bool:
    """Whether an element holds more than any heading does."""
    return sum(1 for _ in islice(element.iter(), _MOST_IN_HEADING + 1)) > _MOST_IN_HEADING


def _sheets(lines: Iterable[Line], reading: Reading) -> Iterator[tuple[_Fields, list[str]]]:
    """What stands between two headings or beginnings, with the fields that hold for it."""
    above: list[_Fields] = [{} for _ in reading.headings]
    own: _Fields = {}
    text: list[str] = []
    for line in lines:
        begins, note = _note(line.text, reading)
        if line.rank is not None or begins:
            yield _merged(above, own), text
            own, text = {}, []
        if line.rank is not None:
            heading = reading.headings[line.rank]
            above[line.rank] = _named(heading.field, heading.pattern, line.text) or {}
            above[line.rank + 1 :] = [{} for _ in above[line.rank + 1 :]]
            continue
        own = (note or {}) | own
        _add_examples(own, line, reading)
        if note is None:
            text.append(line.text)
    yield _merged(above, own), text


def _note(text: str, reading: Reading) -> tuple[bool, _Fields | None]:
    """Whether a line begins a letra, and the fields that it says; None for a line that is sung."""
    for note in reading.notes:
        match = note.pattern.fullmatch(text)
        if match:
            fields = {name: clean(value) for name, value in match.groupdict().items() if value}
            return note.begins, fields
    return False, None


def _add_examples(fields: _Fields, line: Line, reading: Reading) -> None:
    if reading.examples is not None:
        heard = [link for link in line.links if reading.examples.search(link)]
        if heard:
            fields["examples"] = " ".join(filter(None, [fields.get("examples", ""), *heard]))


def _merged(above: Iterable[_Fields], own: _Fields) -> _Fields:
    merged: _Fields = {}
    for fields in (*above, own):
        merged |= fields
    return merged


def _sung(text: Sequence[str], reading: Reading) -> str:
    """The stanzas of a text but for those with a line as only prose has it."""
    blocks = re.split(r"\n[^\S\n]*\n", "\n".join(text))
    kept = [block for block in blocks if max(map(len, block.split("\n"))) <= reading.longest_line]
    return "\n\n".join(kept)


def _letra(part: str, text: str, fields: _Fields, licence: str) -> Letra | None:
    """The letra of a text; None where no word is sung in it."""
    extra = {name: value for name, value in fields.items() if name not in (*_OWN, "rights")}
    found = letra_from(
        part,
        text,
        title=fields.get("title", ""),
        artist=fields.get("artist", ""),
        palo=fields.get("palo", ""),
        rights=rights_of(fields.get("rights", "")) or licence,
        extra=tuple(sorted(extra.items())),
    )
    return None if isinstance(found, Flaw) else found
