"""Verse out of wikitext: poems, headings, and what a header says of the work.

Markup: https://www.mediawiki.org/wiki/Help:Formatting and, for <poem>,
https://www.mediawiki.org/wiki/Extension:Poem.  Prose is not read: a line counts as verse
inside <poem>, below an indentation (":"), or where it ends with <br>.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from corpus.text import clean

__all__ = ["Poem", "header_of", "poems_of", "subpages_of", "transcluded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poem:
    """The verse below one heading ("" above the first), as lines with blank lines between."""

    heading: str
    text: str


_COMMENT = re.compile(r"<!--")
_COMMENT_END = re.compile(r"-->")
_LEFT_OUT = re.compile(
    r"<(ref|references|noinclude|gallery|math|score|table)\b"
    r"""(?:"[^"]*"|'[^']*'|[^<>"'/]|/(?!>))*(/?>)""",
    re.IGNORECASE,
)
_TABLE = re.compile(r"^\{\|", re.MULTILINE)
_TABLE_END = re.compile(r"^\|\}", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{([^{}]*)\}\}")
_NAMES = """
    verso versos c centrar center may mayúscula vt versalitas sc small grande g cursiva i n u
    derecha d tal sic corr errata letra capital lang
"""
_SHOWN = frozenset(_NAMES.split())
"""Templates that show what they are given; all others are dropped with what is in them."""
_FILE = re.compile(
    r"\[\[(?:archivo|file|image|imagen|categoría|category|autor)\s*:[^\[\]]*\]\]", re.IGNORECASE
)
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]")
_OUTSIDE = re.compile(r"\[https?://[^\s\[\]]+(?:\s([^\[\]]*))?\]")
_QUOTES = re.compile(r"'{2,5}")
_BREAK = re.compile(r"<br\s*/?>\s*$", re.IGNORECASE)
_ANY_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_SECTION = re.compile(r"^(={1,6}) ?(.+?) ?\1 ?$")
_BOLD = re.compile(
    r"^:* ?(?:<center>)? ?'''(.+?)''' ?(?:</center>)? ?(?:<br\s*/?>)? ?$", re.IGNORECASE
)
_POEM = re.compile(r"<(/?)poem\b[^<>]*>", re.IGNORECASE)


def poems_of(wikitext: str) -> list[Poem]:
    """The verse of a page, parted at its headings; those without any are left out."""
    poems: list[Poem] = []
    heading, lines = "", list[str]()
    for title, line in (*_rows(wikitext), ("", None)):
        if title or line is None:
            poems.append(Poem(heading=heading, text="\n".join(lines)))
            heading, lines = title, []
        else:
            lines.append(line)
    return [poem for poem in poems if clean(poem.text)]


def _rows(wikitext: str) -> Iterator[tuple[str, str | None]]:
    """("heading", "") or ("", line of verse); a blank line for all that is none."""
    inside = False
    for row in _POEM.sub(r"\n<\1poem>\n", _bare(wikitext)).split("\n"):
        said = " ".join(row.split())
        heading = _SECTION.match(said) or _BOLD.match(said)
        if row in {"<poem>", "</poem>"}:
            inside = row == "<poem>"
            yield "", ""
        elif heading:
            yield _plain(heading[heading.lastindex or 1]), ""
        elif inside or row.startswith(":") or _BREAK.search(row):
            yield from (("", _plain(part.lstrip(":"))) for part in _parts(row))
        else:
            yield "", ""


def _parts(row: str) -> list[str]:
    return _ANY_BREAK.split(_BREAK.sub("", row))


def _bare(wikitext: str) -> str:
    """Without comments, notes, tables and templates; from the innermost template outwards."""
    text = _cut_out(wikitext, _COMMENT, lambda _: _COMMENT_END)
    text = _cut_out(text, _LEFT_OUT, _end_of_tag)
    text = _cut_out(text, _TABLE, lambda _: _TABLE_END)
    return _untemplated(_unlinked(_FILE.sub("", text)), _SHOWN.__contains__)


def _cut_out(
    text: str, begins: re.Pattern[str], ends: Callable[[re.Match[str]], re.Pattern[str] | None]
) -> str:
    """The text without what begins so, up to its end; what has no end stays.

    Piece by piece, as one pattern over both would look for an end from each beginning: on a page
    of nothing but beginnings that takes hours.
    """
    kept: list[str] = []
    endless: set[re.Pattern[str]] = set()
    at = 0
    while found := begins.search(text, at):
        end = ends(found)
        last = found if end is None else None if end in endless else end.search(text, found.end())
        if last is None:
            endless |= {end} if end else set()
            kept.append(text[at : found.end()])
            at = found.end()
        else:
            kept.append(text[at : found.start()])
            at = last.end()
    return "".join(kept) + text[at:]


def _end_of_tag(tag: re.Match[str]) -> re.Pattern[str] | None:
    """What ends an element; None for one that is nothing but its tag."""
    return None if tag[2] == "/>" else re.compile(rf"</{tag[1]}\s*>", re.IGNORECASE)


def _unlinked(text: str) -> str:
    """The text with what links show; their bars would part the parameters of a template."""
    return _OUTSIDE.sub(lambda found: (found[1] or "").lstrip(), _LINK.sub(r"\1", text))


def _untemplated(text: str, shows: Callable[[str], bool]) -> str:
    """The text with what the templates named show, and without all others."""
    for _ in range(10):  # what is nested deeper is no verse
        text, n_found = _TEMPLATE.subn(lambda found: _given(found[1], shows), text)
        if not n_found:
            break
    return text


def _given(template: str, shows: Callable[[str], bool]) -> str:
    name, *values = template.split("|")
    given = [value for value in values if not re.match(r"\s*[a-zñáéíóú]+\s*=", value)]
    if not given or not shows(name.strip().lower()):
        return ""
    return "" if given[-1].strip().isdigit() else given[-1]  # the number of a line


def _plain(row: str) -> str:
    return clean(html.unescape(_TAG.sub("", _QUOTES.sub("", row))))


_HEADER = re.compile(r"\{\{\s*(?:encabezad[oe]|header|título|ficha)[^|{}]*\|", re.IGNORECASE)
_FIELDS = {
    "collection": ("título", "titulo", "title", "obra"),
    "author": ("autor", "author", "recopilador", "compilador"),
    "year": ("año", "ano", "year", "fecha"),
}


def header_of(wikitext: str) -> dict[str, str]:
    """What the header of a page says of the work: collection, author, year."""
    found = _HEADER.search(wikitext)
    said: dict[str, str] = {}
    if found is None:
        return said
    named = dict(_parameters(wikitext[found.end() :]))
    for field, names in _FIELDS.items():
        value = next((named[name] for name in names if named.get(name)), "")
        if value:
            said[field] = value
    if "year" in said:
        year = re.search(r"\b1[0-9]\d\d\b|\b20\d\d\b", said["year"])
        said["year"] = year[0] if year else said["year"]
    return said


def _parameters(rest: str) -> Iterator[tuple[str, str]]:
    """name=value of a template from its first parameter on, up to its end."""
    depth, start = 0, 0
    for mark in re.finditer(r"\{\{|\}\}|\[\[|\]\]|\|", rest):
        if mark[0] in {"{{", "[["}:
            depth += 1
        elif mark[0] != "|" and depth:
            depth -= 1
        elif not depth:
            name, equals, value = rest[start : mark.start()].partition("=")
            if equals:
                yield name.strip().lower(), _plain(_untemplated(_unlinked(value), lambda _: True))
            start = mark.end()
            if mark[0] == "}}":
                return


def subpages_of(wikitext: str, title: str) -> list[str]:
    """The pages below a page that it links to: the parts of a book."""
    targets = (
        link.split("|")[0].split("#")[0].strip()
        for link in re.findall(r"\[\[([^\[\]]+)\]\]", wikitext)
    )
    whole = (
        f"{title}{t}".rstrip("/") if t.startswith("/") else t.replace("_", " ") for t in targets
    )
    return list(dict.fromkeys(t for t in whole if t.startswith(f"{title}/")))


_PAGE = re.compile(r"\d{1,15}", re.ASCII)
_MOST_PAGES = 1000
"""Scanned pages that one page shows: a whole book; asked for more, it would be a trap."""
_PAGES = re.compile(r"<pages\b([^<>]*?)/?>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<!\w)(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'/>]+))""")


def transcluded(wikitext: str, namespace: str = "Página") -> list[str]:
    """The scanned pages whose text a page shows by <pages index=... from=... to=.../>."""
    titles: list[str] = []
    for tag in _PAGES.findall(wikitext):
        named = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(tag)}
        first, last = named.get("from", ""), named.get("to", named.get("from", ""))
        if named.get("index") and _PAGE.fullmatch(first) and _PAGE.fullmatch(last):
            most = _MOST_PAGES - len(titles)
            numbers = range(int(first), min(int(last), int(first) + most - 1) + 1)
            titles += [f"{namespace}:{named['index']}/{number}" for number in numbers]
    return titles
