"""Ask the sites: one crawl by Scrapy, in this process, which can be done once.

Every page is on disk before its links are followed, and what is on disk is not asked for
again; so a crawl that was killed begins anew, runs through what it has, and goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from scrapy import Request, Spider, exceptions, signals
from scrapy.crawler import CrawlerRunner
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.reactor import install_reactor
from scrapy.utils.response import response_status_message
from twisted.logger import globalLogBeginner

from corpus.errors import CanteError, LyricsError
from corpus.lyrics.web.base import Manners, Page, WebSource
from corpus.lyrics.web.manners import (
    FORBIDDEN,
    LARGEST,
    LEFT_ALONE,
    NOT_STORED,
    OnlyPublic,
    seconds_asked,
    settings_of,
)
from corpus.lyrics.web.pages import PageStore
from corpus.records import content_id

__all__ = ["Crawled", "crawl", "ignored", "reason_of"]


@dataclass(slots=True, kw_only=True)
class Crawled:
    """What came of one source, as it comes.

    `pages` are the addresses that hold letras, with what they are read from; `others` those
    that only lead on; `failed` those that did not come, with the reason; `passed_over` those
    that were not to be asked for, by what Scrapy or the Gate says of them.
    """

    source: WebSource
    pages: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    passed_over: dict[str, list[str]] = field(default_factory=dict)


Progress = Callable[[str, int, int], None]


def crawl(
    asked: Sequence[tuple[WebSource, PageStore]],
    manners: Manners,
    on_page: Progress = lambda *_: None,
) -> list[Crawled]:
    """Fetch what the sources ask for; `on_page` is told (source, pages that came, pages asked).

    Raises KeyboardInterrupt where it was interrupted; what came by then is stored.
    """
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import defer
    from twisted.internet import reactor as installed

    reactor: Any = installed
    if not manners.allow_local:
        reactor.installNameResolver(OnlyPublic(reactor.nameResolver))
    crawled = [Crawled(source=source) for source, _ in asked]
    ended: list[tuple[bool, Any]] = []

    def begin() -> None:
        runner = CrawlerRunner(settings_of(manners))
        crawls = [
            runner.crawl(_Letras, told=told, pages=pages, manners=manners, on_page=on_page)
            for told, (_, pages) in zip(crawled, asked, strict=True)
        ]
        all_of_them = defer.DeferredList(crawls, consumeErrors=True)
        all_of_them.addCallback(ended.extend)
        all_of_them.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    with _silence():
        reactor.run()
    if not ended:
        raise KeyboardInterrupt
    for worked, failure in ended:
        if not worked:
            raise failure.value
    return crawled


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What matters is told by `Crawled`; the logs of Scrapy and Twisted are not for people."""
    # Else what Twisted finds critical goes to standard error.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    loggers = [logging.getLogger(name) for name in ("scrapy", "twisted", "asyncio")]
    before = [logger.propagate for logger in loggers]
    quiet = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(quiet)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(quiet)
            logger.propagate = propagate


class _Letras(Spider):
    """Drives one source."""

    name = "letras"

    def __init__(
        self, *, told: Crawled, pages: PageStore, manners: Manners, on_page: Progress
    ) -> None:
        super().__init__()
        self.source, self.pages, self.manners = told.source, pages, manners
        self.not_before: dict[str, float] = {}  # host -> time.monotonic() of the next request
        self.handle_httpstatus_list = list(told.source.answers)
        self._told, self._on_page = told, on_page
        self._seen: set[str] = set()
        self._n_with_letras = self._n_came = 0

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> _Letras:
        """Make it, as Scrapy does, and hear of what goes wrong."""
        spider: _Letras = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider._broken, signal=signals.spider_error)
        crawler.signals.connect(spider._dropped, signal=signals.request_dropped)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """The addresses that the source begins with."""
        for request in self._requests(self.source.start()):
            yield request

    def _requests(self, urls: Iterable[str]) -> Iterator[Request]:
        """Each address once, and of those that hold letras as many as are wanted."""
        for url in urls:
            counts = self.source.holds_letras(url)
            full = self.source.at_most is not None and self._n_with_letras >= self.source.at_most
            if url not in self._seen and not (counts and full):
                self._seen.add(url)
                self._n_with_letras += counts
                yield Request(url, callback=self._came, errback=self._failed)

    def _came(self, response: Response) -> Iterator[Request]:
        self._step()
        page = Page(url=response.url, status=response.status, body=response.body)
        if self.source.holds_letras(page.url):
            digest = hashlib.sha256(page.body).hexdigest()
            self._told.pages[page.url] = content_id("read", digest, self.source.rules)
        else:
            self._told.others.append(page.url)
        # What cannot be read has no links; why it cannot is told when it is read.
        with contextlib.suppress(LyricsError):
            yield from self._requests(self.source.follow(page))

    def _failed(self, failure: Any) -> None:
        self._step()
        url, error = failure.request.url, failure.value
        said = next((said for said in _PASSED_OVER if str(error).startswith(said)), "")
        if str(error) == _TOO_OFTEN:
            self._told.failed[failure.request.meta["redirect_urls"][0]] = _CIRCLE
        elif said:
            self._told.passed_over.setdefault(said, []).append(url)
        else:
            self._told.failed[url] = reason_of(error, self.manners)

    def _broken(self, failure: Any, response: Response) -> None:
        self._told.failed[response.url] = reason_of(failure.value, self.manners)

    def _dropped(self, request: Request) -> None:
        """Scrapy asks for nothing twice; where a redirect wants it to, that may be a circle."""
        passed = request.meta.get("redirect_urls", [])
        if request.url in passed:
            self._told.failed[passed[0]] = _CIRCLE

    def _step(self) -> None:
        self._n_came += 1
        self._on_page(self.source.name, self._n_came, len(self._seen))


_TOO_OFTEN = "max redirections reached"  # so Scrapy says
_CIRCLE = "it is redirected in a circle, or too often"
_PASSED_OVER = (FORBIDDEN, NOT_STORED, LEFT_ALONE)
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.DownloadTimeoutError, "no whole answer within {timeout:g} s"),
    (exceptions.DownloadCancelledError, "the page is longer than {largest} MB"),
    (exceptions.ResponseDataLossError, "the connection was cut before the page was whole"),
    (exceptions.DownloadConnectionRefusedError, "nobody answers at that address"),
    (exceptions.CannotResolveHostError, "there is no such host"),
)


def reason_of(error: Exception, manners: Manners) -> str:
    """Why an address gave no page, in one line."""
    if isinstance(error, HttpError):
        return _status(error.response)
    if isinstance(error, exceptions.IgnoreRequest):
        return ignored(str(error))
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason.format(timeout=manners.timeout, largest=LARGEST >> 20)
    said = " ".join(str(error).split())
    return said if isinstance(error, CanteError) else f"no answer: {said or type(error).__name__}"


def _status(response: Response) -> str:
    wait = seconds_asked(response.headers.get("Retry-After"))
    later = f"; the site asks to come again in {wait:.0f} s" if wait else ""
    return f"the site answers {response_status_message(response.status)}{later}"


def ignored(said: str) -> str:
    """Why an address was not asked for, or its page not taken, in words for people."""
    if said == FORBIDDEN:
        return "robots.txt forbids it, or cannot be had"
    if said.startswith(NOT_STORED):
        return "it is not stored: run without --offline"
    if "DOWNLOAD_MAXSIZE" in said:
        return f"the page is longer than {LARGEST >> 20} MB when it is unpacked"
    return said
