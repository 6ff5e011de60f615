"""From what a person types (site:NAME, lrclib, ...) to pages on disk, and from these to verses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import LyricsError, PassedOverError, UsageError
from corpus.lyrics.base import Flaw
from corpus.lyrics.web.base import Manners, WebSource
from corpus.lyrics.web.blogger import Blogger
from corpus.lyrics.web.lrclib import Lrclib, Track
from corpus.lyrics.web.mediawiki import Wikisource
from corpus.lyrics.web.pages import PageStore
from corpus.lyrics.web.rules import read_rules
from corpus.lyrics.web.site import Site
from corpus.records import UNKNOWN_RIGHTS, Verse
from corpus.run import Failure, Item, Outcome

__all__ = ["Missing", "Stored", "WebIntake", "is_web", "open_source"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A page that is on disk, to be read."""

    source: WebSource
    pages: PageStore
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A page that could not be had, and why."""

    reason: str


def is_web(name: str) -> bool:
    """Whether a name is that of a web source, and not of a file or folder."""
    return name == "lrclib" or name.startswith(("site:", "wikisource:", "blogger:")) or _toml(name)


def _toml(name: str) -> bool:
    return name.lower().endswith(".toml")


def open_source(
    name: str,
    *,
    tracks: Callable[[], Sequence[Track]] = tuple,
    address: str = "",
    limit: int | None = None,
) -> WebSource:
    """The source of a name; `tracks` are what LRCLIB is asked for.

    `address` is that of another server with the same API, `limit` how many pages are wanted.
    Raises UsageError for what names none, ConfigError for a TOML that cannot be.
    """
    kind, _, rest = name.partition(":")
    if name == "lrclib":
        return Lrclib(tracks(), address=address, limit=limit)
    if kind == "wikisource":
        return Wikisource(rest, address=address, limit=limit)
    if kind == "blogger":
        return Blogger(rest, address=address, limit=limit)
    if address:
        raise UsageError(f"--address is for lrclib, wikisource and blogger: {name} has its own")
    return Site(read_rules(Path(name) if _toml(name) else rest), limit=limit)


class WebIntake:
    """Fetches pages below a folder, one folder a source, and reads them.

    `led_on` are addresses that came and hold no letras: if they failed before, it is settled.
    """

    def __init__(self, folder: Path, *, manners: Manners, rights: str = UNKNOWN_RIGHTS) -> None:
        self._folder, self._manners, self._rights = folder, manners, rights
        self.led_on: list[str] = []
        self._notices: list[str] = []
        self._nothing: dict[str, list[str]] = {}

    def items(
        self, sources: Sequence[WebSource], on_page: Progress = lambda *_: None
    ) -> list[Item[Stored | Missing]]:
        """Fetch; each page with letras is an item, and each that could not be had.

        Can be called once in a process.  Raises KeyboardInterrupt where it was interrupted.
        """
        from corpus.lyrics.web.crawl import crawl, ignored

        asked = [(source, PageStore(self._folder / source.name)) for source in sources]
        items: list[Item[Stored | Missing]] = []
        for told, (_, pages) in zip(crawl(asked, self._manners, on_page), asked, strict=True):
            failed = dict(told.failed)
            for why, urls in told.passed_over.items():
                # What gives nothing at all has failed, whatever the reason.
                if told.pages or told.others:
                    self._notices.append(_notice(told.source, ignored(why), urls))
                else:
                    failed |= dict.fromkeys(urls, ignored(why))
            self.led_on += told.others
            items += _stored(told.source, pages, told.pages)
            items += _missing(failed)
        return items

    def take_in(self, page: Stored | Missing) -> Outcome:
        """The verses of a page; its parts without a letra are told, and the others taken.

        Raises LyricsError for a page that is missing or cannot be read.
        """
        if isinstance(page, Missing):
            raise LyricsError(page.reason)
        try:
            found = list(page.source.read(page.pages.page(page.url), self._rights))
        except PassedOverError as why:
            self._nothing.setdefault(page.source.name, []).append(str(why))
            return Outcome()
        flaws = [one for one in found if isinstance(one, Flaw)]
        return Outcome(
            records=tuple(one for one in found if isinstance(one, Verse)),
            failures=tuple(
                Failure(item=f"{page.url}:{flaw.part}", reason=flaw.reason) for flaw in flaws
            ),
        )

    def notices(self) -> Iterator[str]:
        """What was passed over, which is no failure: a line for each reason."""
        yield from self._notices
        for name, reasons in self._nothing.items():
            yield f"{name}: {len(reasons)} without a letra, such as: {reasons[0]}"


def _notice(source: WebSource, why: str, urls: Sequence[str]) -> str:
    return f"{source.name}: {len(urls)} passed over ({why}), such as {urls[0]}"


def _stored(
    source: WebSource, pages: PageStore, inputs: Mapping[str, str]
) -> Iterator[Item[Stored | Missing]]:
    for url, digest in inputs.items():
        yield Item(key=url, inputs=digest, payload=Stored(source=source, pages=pages, url=url))


def _missing(reasons: Mapping[str, str]) -> Iterator[Item[Stored | Missing]]:
    for url, reason in reasons.items():
        yield Item(key=url, inputs="", payload=Missing(reason=reason))
