"""Wikisource, or any MediaWiki: the poems of a page, of a book, of a category.

The public API, https://www.mediawiki.org/wiki/API:Query, with continuation as
https://www.mediawiki.org/wiki/API:Continue describes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from corpus.errors import LyricsError, UsageError
from corpus.lyrics.base import Flaw, Letra, letra_from, verses_of
from corpus.lyrics.web.base import Page, Read, host_of, json_of
from corpus.lyrics.web.wikitext import (
    Poem,
    header_of,
    poems_of,
    subpages_of,
    transcluded,
)
from corpus.records import UNKNOWN_RIGHTS
from corpus.text import clean

__all__ = ["Wikisource"]

_SERVER = "https://es.wikisource.org"
_AT_ONCE = 50
"""Members of a category a request: the most for who is not signed in."""
_TITLES = 20
"""Titles a request, so that its address stays one that servers take."""
_CATEGORY = re.compile(r"^(?:categoría|categoria|category)\s*:", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_FREE_BEFORE = 1930
"""A collection of before this year is in the public domain."""


class Wikisource:
    """The poems of one page with the pages below it, or of the pages in a category."""

    name = "wikisource"
    answers = frozenset[int]()
    rules = ""
    at_most: int | None = None

    def __init__(self, title: str, *, address: str = "", limit: int | None = None) -> None:
        """Take a title or "Categoría:NAME", and the address of another wiki than the Spanish one.

        Raises UsageError where there is no title.
        """
        self._title = clean(title).replace("_", " ")
        if not _CATEGORY.sub("", self._title):
            raise UsageError("write wikisource:PAGE, or wikisource:Categoría:NAME")
        self._server = (address or _SERVER).rstrip("/")
        self.hosts: tuple[str, ...] = (host_of(self._server),)
        self._limit = limit

    def start(self) -> Iterable[str]:
        """The page, or the first pages of the category."""
        if not _CATEGORY.match(self._title):
            return [self._query(titles=self._title)]
        return [self._query(**self._members(0))]

    def _members(self, had: int) -> dict[str, str]:
        """What asks for members of the category; the wiki keeps a `requestid` as it is."""
        most = _AT_ONCE if self._limit is None else min(_AT_ONCE, self._limit - had)
        return {
            "generator": "categorymembers",
            "gcmtitle": self._title,
            "gcmtype": "page",
            "gcmlimit": str(most),
            "requestid": str(had),
        }

    def _query(self, **asked: str) -> str:
        """The address of a query; the answer to it holds the text of each page."""
        always = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "redirects": "1",
            "prop": "revisions",
            "rvprop": "content",
            "rvslots": "main",
        }
        return f"{self._server}/w/api.php?{urlencode(always | asked)}"

    def follow(self, page: Page) -> Iterable[str]:
        """What the answer left out, the pages below those of it, and scans that they show."""
        answer = _answer(page)
        pages = _pages(answer)
        titles = [title for one in pages for title in _parts(one)][: self._limit]
        batches = (titles[at : at + _TITLES] for at in range(0, len(titles), _TITLES))
        return [
            *self._continued(page.url, answer.get("continue"), len(pages)),
            *(self._query(titles="|".join(batch)) for batch in batches),
        ]

    def _continued(self, url: str, more: object, n_pages: int) -> list[str]:
        """The rest of an answer: texts that it left out, or more members of the category."""
        if not isinstance(more, Mapping):
            return []
        given = {str(name): str(value) for name, value in more.items()}
        if "gcmcontinue" in given:
            told = dict(parse_qsl(urlsplit(url).query)).get("requestid", "")
            had = (int(told) if _COUNT.fullmatch(told) else 0) + n_pages
            if self._limit is not None and had >= self._limit:
                return []
            given |= self._members(had)
        return [_with_query(url, given)]

    def holds_letras(self, url: str) -> bool:
        """Whether an address is of the API."""
        return url.startswith(f"{self._server}/w/api.php?")

    def read(self, page: Page, rights: str) -> Iterable[Read]:
        """The verses of the pages; one without verse, or that is not there, is told."""
        return [one for wiki in _pages(_answer(page)) for one in self._page(wiki, rights)]

    def _page(self, page: Mapping[str, Any], rights: str) -> Iterator[Read]:
        title, wikitext = str(page.get("title", "")), _wikitext(page)
        if _why_none(page):
            yield Flaw(part=title, reason=_why_none(page))
        elif wikitext is not None:
            verses = [
                verse
                for number, poem in enumerate(poems_of(wikitext), start=1)
                if (letra := _letra(poem, number, title, wikitext))
                for verse in verses_of(letra, self._place(title), rights)
            ]
            yield from verses
            if not verses and not _parts(page) and "<pagequality" not in wikitext:
                yield Flaw(part=title, reason="no letra found: no verse in <poem>, ':' or <br>")

    def _place(self, title: str) -> str:
        return f"{self._server}/wiki/{quote(title.replace(' ', '_'), safe='/:')}"


def _letra(poem: Poem, number: int, title: str, wikitext: str) -> Letra | None:
    """The poem as a letra; None where it has no words."""
    header = header_of(wikitext)
    year = header.get("year", "")
    free = _COUNT.fullmatch(year) is not None and int(year) < _FREE_BEFORE
    letra = letra_from(
        str(number),
        poem.text,
        title=poem.heading or title.rpartition("/")[2],
        rights="public-domain" if free else UNKNOWN_RIGHTS,
        extra=tuple(sorted(header.items())),
    )
    return None if isinstance(letra, Flaw) else letra


def _answer(page: Page) -> Mapping[str, Any]:
    """The answer of the API; raises LyricsError for an error that it tells, or what is none."""
    answer = json_of(page)
    if not isinstance(answer, Mapping) or "error" in answer:
        told = answer.get("error") if isinstance(answer, Mapping) else None
        why = told.get("info", "") if isinstance(told, Mapping) else "no answer of MediaWiki"
        raise LyricsError(" ".join(f"the wiki says: {why}".split()))
    return answer


def _pages(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    query = answer.get("query")
    pages = query.get("pages") if isinstance(query, Mapping) else None
    return [page for page in pages if isinstance(page, Mapping)] if isinstance(pages, list) else []


def _wikitext(page: Mapping[str, Any]) -> str | None:
    """The text of a page; None where this answer has it not (a continuation will)."""
    try:
        return str(page["revisions"][0]["slots"]["main"]["content"])
    except (KeyError, IndexError, TypeError):
        return None


def _parts(page: Mapping[str, Any]) -> list[str]:
    """The titles whose text belongs to a page: those below it, and scans that it shows."""
    wikitext, title = _wikitext(page) or "", str(page.get("title", ""))
    return [*subpages_of(wikitext, title), *transcluded(wikitext)]


def _why_none(page: Mapping[str, Any]) -> str:
    if page.get("invalid"):
        return "no title of a page"
    return "there is no such page" if page.get("missing") else ""


def _with_query(url: str, more: dict[str, str]) -> str:
    """The address with some parameters of its query set; what it continued itself is gone."""
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    kept = {name: value for name, value in asked if not name.endswith("continue")}
    return urlunsplit(parts._replace(query=urlencode(kept | more)))
