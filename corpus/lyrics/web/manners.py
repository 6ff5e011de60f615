"""How Scrapy asks here: only where it may, no sooner than it is told, and nothing twice.

Settings and the parts that are plugged into it.  Imported where a crawl begins: Scrapy and
Twisted take half a second.
"""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer  # type: ignore[import-untyped]  # ships no types

from corpus.addresses import check_public, is_public
from corpus.errors import UsageError
from corpus.lyrics.web.base import Manners, Page, host_of, is_below
from corpus.lyrics.web.pages import PageStore

__all__ = [
    "FORBIDDEN",
    "LARGEST",
    "LEFT_ALONE",
    "NOT_STORED",
    "Gate",
    "OnlyPublic",
    "Patience",
    "Shelf",
    "seconds_asked",
    "settings_of",
]

LARGEST = 16 << 20
"""Bytes of a page, unpacked: the longest pages of letras have some hundred thousand."""
_LONGEST_WAIT = 120.0
"""Seconds that a site may ask to wait before the next request; asked for more, it is left alone."""
_RETRIES = 3
_PARTS = "corpus.lyrics.web.manners"

FORBIDDEN = "Forbidden by robots.txt"
"""What Scrapy says of an address that robots.txt forbids."""
NOT_STORED = "Ignored request not in cache"
"""How Scrapy begins what it says of an address that is not stored, where nobody is asked."""
LEFT_ALONE = "the site asked to be left alone for long"
"""What is said of an address that is not asked for, since the site wants a long rest."""


def settings_of(manners: Manners) -> dict[str, Any]:
    """The settings of Scrapy for a crawl with these manners."""
    fast = not manners.delay
    contact = f" ({manners.contact})" if manners.contact else ""
    return {
        "USER_AGENT": f"cante-corpus/{version('cante-corpus')}{contact}",
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/json;q=0.9,*/*;q=0.8",
            "Accept-Language": "es",
        },
        "ROBOTSTXT_OBEY": not manners.offline,
        "AUTOTHROTTLE_ENABLED": not fast,
        "AUTOTHROTTLE_START_DELAY": manners.delay,
        "DOWNLOAD_DELAY": manners.delay,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8 if fast else 2,
        "DOWNLOAD_TIMEOUT": manners.timeout,
        "DOWNLOAD_MAXSIZE": LARGEST,
        "DOWNLOAD_WARNSIZE": 0,
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": _RETRIES,
        "URLLENGTH_LIMIT": 8000,
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_STORAGE": f"{_PARTS}.Shelf",
        "HTTPCACHE_IGNORE_MISSING": manners.offline,
        "DOWNLOADER_MIDDLEWARES": _ORDER,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),
        # First come, first asked: what is still to come is known early.
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": True,
        "LOG_ENABLED": False,
        "STATS_DUMP": False,
        "MEMUSAGE_ENABLED": False,
        # Doors that nobody needs, and slow to build.
        "EXTENSIONS": dict.fromkeys(
            f"scrapy.extensions.{name}"
            for name in ("remote_control.RemoteControl", "telnet.TelnetConsole")
        ),
    }


_SCRAPY = "scrapy.downloadermiddlewares"
_ORDER: dict[str, int | None] = {
    # Scrapy's own lets a request through that is tried again; the Gate does not.
    f"{_SCRAPY}.offsite.OffsiteMiddleware": None,
    f"{_SCRAPY}.retry.RetryMiddleware": None,
    f"{_PARTS}.Patience": 550,
    # Pages are kept unpacked, and with where they send on to: so the cache stands
    # between redirects (600) and what unpacks.
    f"{_SCRAPY}.httpcache.HttpCacheMiddleware": 610,
    f"{_SCRAPY}.httpcompression.HttpCompressionMiddleware": 620,
    # Behind the cache: what is stored needs nobody's leave.
    f"{_PARTS}.Gate": 630,
}


class Shelf:
    """Scrapy's cache, kept as the pages of a source; robots.txt is asked for anew each time."""

    def __init__(self, settings: object) -> None:
        """Need nothing of the settings: a spider brings its own shelf."""

    def open_spider(self, spider: Any) -> None:
        """Take the pages that the spider brings."""
        self._pages: PageStore = spider.pages
        self._pages.tidy()
        self._oldest = time.time() - (spider.manners.max_age or 0) * 86_400
        self._ages = spider.manners.max_age is not None and not spider.manners.offline
        self._kept = {200, 301, 302, 303, 307, 308, *spider.source.answers}

    def close_spider(self, spider: Spider) -> None:
        """Have nothing to close."""

    def retrieve_response(self, spider: Spider, request: Request) -> Response | None:  # noqa: ARG002  # Scrapy's form
        """What is stored of the address and not too old."""
        stored = None if _is_robots(request.url) else self._pages.load(request.url)
        if stored is None or (self._ages and stored.at < self._oldest):
            return None
        page = stored.page
        kind = responsetypes.from_args(url=page.url, body=page.body)
        headers = {"Location": stored.location} if stored.location else {}
        return kind(url=page.url, status=page.status, headers=headers, body=page.body)

    def store_response(self, spider: Spider, request: Request, response: Response) -> None:  # noqa: ARG002  # Scrapy's form
        """Keep a page, or where an address sends on to; failures are not kept."""
        if response.status in self._kept and not _is_robots(request.url):
            page = Page(url=request.url, status=response.status, body=response.body)
            self._pages.save(page, (response.headers.get("Location") or b"").decode("latin-1"))


def _is_robots(url: str) -> bool:
    return urlsplit(url).path == "/robots.txt"


class Gate:
    """Lets a request out: to the hosts of its source, to the open internet, and not too soon."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._checked: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Gate:
        """Make it, as Scrapy does."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Hold a request until its host may be asked; raises IgnoreRequest where it may not."""
        spider: Any = self._crawler.spider
        host = host_of(request.url)
        if not any(is_below(host, one) for one in spider.source.hosts):
            raise IgnoreRequest(f"it leads to another site, {host}")
        if not spider.manners.allow_local and host not in self._checked:
            try:
                await asyncio.to_thread(check_public, request.url)
            except UsageError as error:
                raise IgnoreRequest(str(error)) from error
            self._checked.add(host)
        while (wait := spider.not_before.get(host, 0.0) - time.monotonic()) > 0:
            if wait > _LONGEST_WAIT:
                raise IgnoreRequest(LEFT_ALONE)
            await asyncio.sleep(wait)


class Patience(RetryMiddleware):
    """Tries again what may come right; a host that asks for time is given it, by all requests."""

    def process_response(  # type: ignore[override]  # Scrapy's old form has the spider too
        self, request: Request, response: Response
    ) -> Request | Response:
        """Give the response, or the request that is to be tried again."""
        if response.status in self.retry_http_codes and not self._may_wait(request, response):
            return response
        again = super().process_response(request, response)
        if isinstance(again, Response) and _is_robots(request.url) and again.status >= 500:
            # RFC 9309: who cannot give its rules is not to be crawled.
            return again.replace(status=200, body=b"User-agent: *\nDisallow: /\n")
        return again

    def _may_wait(self, request: Request, response: Response) -> bool:
        """Note how long the host is to be left alone; False where that is too long."""
        asked = seconds_asked(response.headers.get("Retry-After"))
        tried = int(request.meta.get("retry_times", 0))
        wait = 0.5 * 2**tried if asked is None else asked
        spider: Any = self.crawler.spider
        spider.not_before[host_of(request.url)] = time.monotonic() + wait
        return wait <= _LONGEST_WAIT


def seconds_asked(header: bytes | None) -> float | None:
    """The seconds of a Retry-After, which may be a date; None where it says nothing."""
    text = (header or b"").decode("latin-1").strip()
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


@implementer(IHostnameResolver)
class OnlyPublic:
    """Names lead to addresses of the open internet, whatever they are changed to in between.

    A proxy that the environment names may be anywhere.
    """

    def __init__(self, asked: Any) -> None:
        self._asked = asked
        proxies = urllib.request.getproxies().values()
        self._exempt = {host_of(proxy) for proxy in proxies}

    def resolveHostName(  # noqa: N802  # Twisted's names, here and below
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """Ask, and pass on what may be reached."""
        exempt = hostName in self._exempt
        receiver = resolutionReceiver if exempt else _Public(resolutionReceiver)
        found: IHostResolution = self._asked.resolveHostName(
            receiver, hostName, portNumber, addressTypes, transportSemantics
        )
        return found


@implementer(IResolutionReceiver)
class _Public:
    def __init__(self, receiver: Any) -> None:
        self.resolutionBegan = receiver.resolutionBegan
        self.resolutionComplete = receiver.resolutionComplete
        self._receiver = receiver

    def addressResolved(self, address: Any) -> None:  # noqa: N802  # Twisted's name
        if is_public(address.host):
            self._receiver.addressResolved(address)
