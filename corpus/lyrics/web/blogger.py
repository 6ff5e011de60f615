"""Blogs of Blogger by their feed of posts.

https://developers.google.com/blogger/docs/2.0/json/reference and, for the paging by
start-index and max-results, https://developers.google.com/gdata/docs/2.0/reference
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from corpus.collect.titles import read_title
from corpus.errors import LyricsError, UsageError
from corpus.lyrics.base import Flaw, letra_from, verses_of
from corpus.lyrics.web.base import Page, Read, host_of, json_of
from corpus.lyrics.web.html import document, lines_of
from corpus.text import clean

__all__ = ["Blogger"]

_AT_ONCE = 100
"""Posts a request; Blogger gives no more than 150."""


class Blogger:
    """The posts of one blog, each a letra."""

    answers = frozenset[int]()
    rules = ""
    at_most: int | None = None

    def __init__(self, blog: str, *, address: str = "", limit: int | None = None) -> None:
        """Take the address of the blog, and of another server that has its feed.

        Raises UsageError when the blog's is none.
        """
        host = host_of(blog)
        if not host or not blog.startswith(("http://", "https://")):
            raise UsageError(f"blogger:{blog} names no blog: write blogger:https://HOST")
        whole = address or blog
        self.name = f"blogger-{host}"
        self.hosts: tuple[str, ...] = (host_of(whole),)
        self._feed = whole.split("?")[0].rstrip("/") + "/feeds/posts/default"
        self._limit = limit

    def start(self) -> Iterable[str]:
        """The newest posts."""
        return [self._posts(1)]

    def _posts(self, first: int) -> str:
        wanted = _AT_ONCE if self._limit is None else min(_AT_ONCE, self._limit - first + 1)
        asked = {"alt": "json", "start-index": first, "max-results": wanted}
        return f"{self._feed}?{urlencode(asked)}"

    def follow(self, page: Page) -> Iterable[str]:
        """The posts after these; a page may hold fewer than were asked for."""
        feed = _feed(page)
        first, n_posts = _first(page.url), len(_entries(feed))
        after = first + n_posts
        more = after <= _total(feed) and (self._limit is None or after <= self._limit)
        return [self._posts(after)] if n_posts and more else []

    def holds_letras(self, url: str) -> bool:
        """Whether an address is of the feed."""
        return url.startswith(self._feed)

    def read(self, page: Page, rights: str) -> Iterable[Read]:
        """The verses of the posts; one without words is told by its address."""
        return [one for entry in _entries(_feed(page)) for one in _post(entry, rights)]


def _feed(page: Page) -> Mapping[str, Any]:
    answer = json_of(page)
    feed = answer.get("feed") if isinstance(answer, Mapping) else None
    if not isinstance(feed, Mapping):
        raise LyricsError("the answer is no feed of Blogger")
    return feed


def _entries(feed: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    entries = feed.get("entry")
    return [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []


def _first(url: str) -> int:
    told = parse_qs(urlsplit(url).query).get("start-index", ["1"])[0]
    return int(told) if re.fullmatch(r"\d{1,9}", told) else 1


def _total(feed: Mapping[str, Any]) -> int:
    total = _said(feed, "openSearch$totalResults")
    return int(total) if re.fullmatch(r"\d{1,9}", total) else 0


def _said(record: Mapping[str, Any], name: str) -> str:
    """The text of an element, which the feed keeps under "$t"."""
    element = record.get(name)
    return str(element.get("$t") or "") if isinstance(element, Mapping) else ""


def _post(entry: Mapping[str, Any], rights: str) -> Iterator[Read]:
    place = _link(entry) or _said(entry, "id")
    title = read_title(clean(_said(entry, "title")))
    labels = ", ".join(_labels(entry))
    extra = (("labels", labels), ("published", _said(entry, "published")))
    letra = letra_from(
        "",
        _text(_said(entry, "content") or _said(entry, "summary")),
        title=title.title,
        artist=title.artist,
        palo=title.palo,
        extra=tuple(pair for pair in extra if pair[1]),
    )
    if isinstance(letra, Flaw):
        yield Flaw(part=place, reason="no letra found in the post")
    else:
        yield from verses_of(letra, place, rights)


def _link(entry: Mapping[str, Any]) -> str:
    """Where people read the post."""
    links = entry.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("rel") == "alternate":
            return str(link.get("href") or "")
    return ""


def _labels(entry: Mapping[str, Any]) -> Iterator[str]:
    categories = entry.get("category")
    for one in categories if isinstance(categories, list) else ():
        if isinstance(one, Mapping) and one.get("term"):
            yield clean(str(one["term"]))


def _text(html: str) -> str:
    shown = document(html.encode())
    return "\n".join(line.text for line in lines_of(shown.root)) if shown else ""
