"""What a web source is: addresses to ask, what to ask for after an answer, and how it is read.

All of it is pure: a source turns pages into addresses and verses, and knows no network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from corpus.errors import LyricsError
from corpus.lyrics.base import Flaw
from corpus.records import Verse

__all__ = ["NOWHERE", "Manners", "Page", "Read", "WebSource", "host_of", "is_below", "json_of"]

Read = Verse | Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What came from an address: the status of HTTP and the bytes, unpacked."""

    url: str
    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a source is asked: seconds between two requests and to wait for an answer.

    `max_age` is in days: what was stored longer ago is fetched again.  `contact` is an
    address or a page that tells a site who asks.  `offline` asks nobody.
    """

    delay: float = 1.0
    timeout: float = 30.0
    max_age: float | None = None
    contact: str = ""
    allow_local: bool = False
    offline: bool = False


class WebSource(Protocol):
    """One site, or one public API.

    `name` is that of the folder of its pages; `hosts` are the only ones that are asked, each
    with its subdomains; `answers` are the statuses whose pages say something; `rules` is
    what pages are read by: where it changes, they are read again.  `at_most` so many
    addresses that hold letras are asked for.
    """

    name: str
    hosts: tuple[str, ...]
    answers: frozenset[int]
    rules: str
    at_most: int | None

    def start(self) -> Iterable[str]:
        """The addresses to begin with."""

    def follow(self, page: Page) -> Iterable[str]:
        """The addresses to ask after this page."""

    def holds_letras(self, url: str) -> bool:
        """Whether letras are read from the page at this address."""

    def read(self, page: Page, rights: str) -> Iterable[Read]:
        """The verses of a page, and its parts without one; nothing where none are due.

        `rights` are those of letras that say none.  Raises LyricsError when nothing of
        the page can be read.
        """


NOWHERE = frozenset({404})
"""The status of an API that has nothing under a name: an answer, and no failure."""


def host_of(url: str) -> str:
    """The host of an address without its "www."; "" where there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def is_below(host: str, parent: str) -> bool:
    """Whether a host is another, or one of its subdomains."""
    return host == parent or host.endswith(f".{parent}")


def json_of(page: Page) -> Any:
    """The JSON of a page, its texts without signs that cannot be stored.

    Raises LyricsError when it is none, or nested out of all measure.
    """
    try:
        return _storable(json.loads(page.body))
    except (ValueError, RecursionError) as error:
        raise LyricsError(f"the answer is no JSON: {error}") from error


_NO_SIGN = re.compile(r"[\x00\ud800-\udfff]")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_SIGN.sub("", value)
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return value
