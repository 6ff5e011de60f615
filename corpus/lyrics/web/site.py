"""A site of pages, by the rules of its TOML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from corpus.errors import LyricsError
from corpus.lyrics.base import verses_of
from corpus.lyrics.web.base import Page, Read, host_of, is_below
from corpus.lyrics.web.html import document, links
from corpus.lyrics.web.reading import letras_of
from corpus.lyrics.web.rules import SiteRules
from corpus.records import content_id

__all__ = ["Site"]


class Site:
    """Pages that link to each other; letras stand on some."""

    answers = frozenset[int]()

    def __init__(self, rules: SiteRules, *, limit: int | None = None) -> None:
        self._rules = rules
        self.name = rules.name
        self.hosts = (*{host_of(url): None for url in rules.start}, *rules.hosts)
        self.rules = content_id("site", rules.model_dump_json())
        self.at_most = limit

    def start(self) -> Iterable[str]:
        """The addresses that the TOML names."""
        return self._rules.start

    def follow(self, page: Page) -> Iterable[str]:
        """The links of a page that the rules take, inside the site."""
        shown = document(page.body, self._rules.encoding)
        return [link for link in links(shown, page.url) if self._taken(link)] if shown else ()

    def _taken(self, link: str) -> bool:
        taken = (*self._rules.links.pages, *self._rules.links.follow)
        return (
            any(is_below(host_of(link), host) for host in self.hosts)
            and any(pattern.search(link) for pattern in taken)
            and not any(pattern.search(link) for pattern in self._rules.links.deny)
        )

    def holds_letras(self, url: str) -> bool:
        """Whether an address is one of the pages with letras."""
        return any(pattern.search(url) for pattern in self._rules.links.pages)

    def read(self, page: Page, rights: str) -> Iterable[Read]:
        """The verses of a page; raises LyricsError when there is no text, or no letra in it."""
        shown = document(page.body, self._rules.encoding)
        if shown is None:
            raise LyricsError("the page is no text")
        letras = letras_of(shown, self._rules)
        if not letras:
            raise LyricsError("no letra found on the page")
        # A page that is one letra is named by its address alone.
        named = letras if len(letras) > 1 else [replace(letras[0], part="")]
        return [verse for letra in named for verse in verses_of(letra, page.url, rights)]
