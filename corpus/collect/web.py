"""Audio behind a link, fetched by yt-dlp: best audio as it came, no re-encoding."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corpus.collect.base import Found, Network, Wanted, printable
from corpus.collect.files import AUDIO_SUFFIXES
from corpus.collect.tags import tags_in, year_of
from corpus.collect.titles import read_title
from corpus.errors import MediaError
from corpus.records import content_id
from corpus.rights import rights_of
from corpus.text import clean

__all__ = ["Fetched", "collector", "fetched", "is_link", "why_not"]

Info = Mapping[str, Any]

_SEARCH = re.compile(r"[a-z0-9.]+search(?:date)?(?:\d+|all)?:.", re.IGNORECASE)
_TOPIC = re.compile(r"\s+-\s+(?:topic|tema)$", re.IGNORECASE)
_DEEPEST = 3
"""A channel holds tabs, a tab holds playlists."""

_KEPT = ("webpage_url", "extractor", "uploader", "channel", "upload_date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that was fetched, and what the site said of it."""

    path: Path
    said: dict[str, str]
    extra: tuple[tuple[str, str], ...]


@contextlib.contextmanager
def fetched(
    found: Found, folder: Path, network: Network, judge: Callable[[Info], str]
) -> Iterator[Fetched]:
    """Fetch a link below a folder; what came goes at the end, what is half there stays.

    Raises MediaError when it cannot be had, PassedOverError when `judge` gives a reason.
    """
    from corpus.collect.client import archive_id, download

    place = folder / content_id(found.location, str(found.number))
    place.mkdir(parents=True, exist_ok=True)
    try:
        path, info = download(found.location, place, network, number=found.number, judge=judge)
        named = (("archive_id", archive_id(info)),)
        kept = tuple((name, clean(str(info[name]))) for name in _KEPT if info.get(name))
        extra = (*kept, *(pair for pair in named if pair[1]))
        said, tags = {k: v for k, v in _said(info).items() if v}, tags_in(path)
        # Of a bare file the site knows no more than the address.
        known = tags | said if archive_id(info) else said | tags
        yield Fetched(path=path, said=known, extra=extra)
    except MediaError:
        # Whatever is half there is worth keeping only while more of it may come.
        if not any(path.suffix == ".part" for path in place.iterdir()):
            shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place, ignore_errors=True)


def _said(info: Info) -> dict[str, str]:
    """Title, artist, album, year, palo and rights, by fields of music first, then by the title."""
    said = {name: " ".join(clean(str(value)).split()) for name, value in info.items() if value}
    read = read_title(said.get("title", ""))
    topic = said.get("uploader", "") if _TOPIC.search(said.get("uploader", "")) else ""
    year = said.get("release_year") or (read.year and str(read.year)) or ""
    return {
        "title": said.get("track") or read.title,
        "artist": said.get("artist") or read.artist or _TOPIC.sub("", topic),
        "album": said.get("album", ""),
        "year": year or str(year_of(said.get("release_date", "")[:4]) or ""),
        "palo": read_title(said["track"]).palo if said.get("track") else read.palo,
        "rights": rights_of(said.get("license", "")),
    }


def why_not(info: Info, wanted: Wanted) -> str:
    """Why a recording is not wanted, as far as can be told from what is known of it; or ""."""
    title, date = str(info.get("title") or ""), str(info.get("upload_date") or "")
    seconds = info.get("duration")
    if info.get("is_live") or info.get("live_status") == "is_live":
        return "a live stream: it can be had when it is over"
    if info.get("live_status") == "is_upcoming":
        return "a live stream that has not begun"
    if wanted.max_duration is not None and seconds and seconds > wanted.max_duration:
        return f"lasts {seconds:.0f} s, more than --max-duration"
    if wanted.since and date and date < wanted.since:
        return f"of {date}, before --since"
    if wanted.match and title and not re.search(wanted.match, title, re.IGNORECASE):
        return "its title does not match --match"
    return ""


def is_link(source: str) -> bool:
    """Whether a source is a URL or a search, and no path."""
    return "://" in source or _SEARCH.match(source) is not None


class WebCollector:
    """Takes a link: a recording, a list, a channel; or a search, as in `ytsearch20:soleá`."""

    name = "web"

    def accepts(self, source: str) -> bool:
        """Whether the source is a URL or a search."""
        return is_link(source)

    def find(self, source: str, wanted: Wanted, network: Network) -> Iterable[Found]:
        """What is at the link that is wanted; raises MediaError when it cannot be read."""
        from corpus.collect.client import listed

        if Path(urlsplit(source).path).suffix.lower() in AUDIO_SUFFIXES:
            return [_found(source)]  # need not be asked: it is one, and may be here already
        found = listed(source, wanted, network)
        if "entries" not in found:
            return [_found(source)]
        return list(_entries(source, found, wanted, network, _DEEPEST))[: wanted.limit]


def _entries(
    source: str, found: Info, wanted: Wanted, network: Network, depth: int
) -> Iterator[Found]:
    from corpus.collect.client import listed

    page = str(found.get("webpage_url") or source)
    for number, entry in enumerate(found["entries"], start=1):
        if entry is None or why_not(entry, wanted):
            continue
        link = str(entry.get("url") or "")
        if "entries" in entry:
            yield from _entries(page, entry, wanted, network, depth)
        elif _is_list(entry) and depth and link != source:
            yield from _entries(link, listed(link, wanted, network), wanted, network, depth - 1)
        elif entry.get("_type") in {"url", "url_transparent"}:
            yield _found(link)
        else:
            yield _found(page, number, str(entry.get("id") or number))


def _is_list(entry: Info) -> bool:
    return str(entry.get("ie_key") or "").endswith(("Tab", "Playlist", "Channel", "Album", "Set"))


def _found(link: str, number: int = 0, name: str = "") -> Found:
    key = printable(link) + (f"#{printable(name)}" if number else "")
    return Found(key=key, inputs=key, location=link, number=number)


collector = WebCollector()
