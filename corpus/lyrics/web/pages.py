"""Pages on disk: one file a page, written whole or not at all.

They are what a crawl goes on from, and what verses are read from; a file is a line of JSON
(address, status, header Location, when it came), an empty line, and the bytes of the page.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import LyricsError
from corpus.lyrics.web.base import Page
from corpus.records import content_id
from corpus.whole import writing

__all__ = ["PageStore", "StoredPage", "pages_of"]

_YOUNG = 3600.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A page, where it sends on to ("" for nowhere), and when it came (seconds of the epoch)."""

    page: Page
    location: str
    at: float


class PageStore:
    """The pages of one source, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, url: str) -> Path:
        """The file of an address; it may not be there."""
        return self.folder / f"{content_id('page', url)}.page"

    def save(self, page: Page, location: str = "") -> None:
        """Keep a page, in place of what was kept of its address.

        Raises MediaError when the disk does not take it.
        """
        head = {"url": page.url, "status": page.status, "location": location, "at": time.time()}
        with writing(self.path(page.url)) as scratch:
            scratch.write_bytes(json.dumps(head).encode() + b"\n\n" + page.body)

    def tidy(self) -> None:
        """Remove what a killed crawl left half-written; what is young may be somebody's work."""
        for scratch in self.folder.glob(".part-*"):
            with contextlib.suppress(OSError):
                if time.time() - scratch.stat().st_mtime > _YOUNG:
                    scratch.unlink()

    def load(self, url: str) -> StoredPage | None:
        """What is kept of an address; None where nothing is, or nothing that can be read."""
        try:
            head, _, body = self.path(url).read_bytes().partition(b"\n\n")
        except OSError:
            return None
        return _stored(head, body)

    def page(self, url: str) -> Page:
        """The page of an address; raises LyricsError when it is not kept."""
        stored = self.load(url)
        if stored is None:
            raise LyricsError(f"the page is not in {self.folder}: run without --offline")
        return stored.page


def pages_of(folder: Path, start: str) -> Iterator[Path]:
    """The files of all sources below a folder whose address begins so."""
    for path in sorted(folder.glob("*/*.page")):
        with contextlib.suppress(OSError), path.open("rb") as file:
            stored = _stored(file.readline(), b"")
            if stored and stored.page.url.startswith(start):
                yield path


def _stored(head: bytes, body: bytes) -> StoredPage | None:
    try:
        said: Mapping[str, object] = json.loads(head)
        return StoredPage(
            page=Page(url=str(said["url"]), status=int(str(said["status"])), body=body),
            location=str(said["location"]),
            at=float(str(said["at"])),
        )
    except (ValueError, KeyError, TypeError):
        return None
