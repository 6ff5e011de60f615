"""Sites with letras, as they are found: pages that link to each other, APIs, and what goes wrong.

They are put on a `MediaSite`, which counts who asks for what.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.conftest import Ran
from tests.servers.media import MediaSite, Visit

__all__ = ["blog", "bomb", "corpus", "cut", "letra", "letras", "lrclib", "moved", "robots"]
__all__ += ["busy", "rules", "stalled", "wiki"]

Query = dict[str, str]


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [__name__, "corpus.lyrics.web.crawl", "corpus.lyrics.web.intake", "rich.progress"]
)


def corpus(workspace: Path, *arguments: str | Path, proxy: str = "", timeout: float = 60) -> Ran:
    """The command in a process of its own, since a crawl can be done once in each.

    It begins as a copy of one that has imported Scrapy already.
    """
    words = ["corpus", "-w", *map(str, (workspace, *arguments))]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        running = _processes.Process(target=_run, args=(words, out, err, proxy), daemon=True)
        running.start()
        running.join(timeout)
        assert running.exitcode is not None, "the command does not end"
        return Ran(code=running.exitcode, out=out.read_text("utf-8"), err=err.read_text("utf-8"))


def _run(words: list[str], out: Path, err: Path, proxy: str) -> None:
    from corpus.cli import main

    if proxy:
        os.environ["http_proxy"] = proxy
    for path, number in ((out, 1), (err, 2)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = words
    main()


# ---- pages


def letra(title: str, *stanzas: str, artist: str = "La Niña") -> str:
    """A page of a general lyric site."""
    text = "<br><br>".join(stanza.replace("\n", "<br>\n") for stanza in stanzas)
    return f"<h1>Letra de {title}</h1><h2>{artist}</h2><div class='letra'>{text}</div>"


def letras(site: MediaSite, pages: Mapping[str, str], *others: str) -> None:
    """A list at "/", with links to the pages and to other addresses."""
    links = "".join(f"<li><a href='{path}'>letra</a>" for path in (*pages, *others))
    site.html("/", f"<ul>{links}</ul>")
    for path, html in pages.items():
        site.html(path, html)


def rules(folder: Path, site: MediaSite, name: str = "mine", more: str = "") -> Path:
    """The TOML of such a site."""
    path = folder / f"{name}.toml"
    path.write_text(
        f"""
        name = "{name}"
        start = ["{site.url}/"]
        {more}
        [links]
        pages = ['/letra/']
        follow = ['/lista/']
        [read]
        verses = ".letra"
        [read.fields.title]
        select = "h1"
        pattern = '^Letra de (?P<title>.+)$'
        [read.fields.artist]
        select = "h2"
        """,
        "utf-8",
    )
    return path


def robots(site: MediaSite, *forbidden: str) -> None:
    """What robots.txt forbids."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in forbidden)]
    site.page("/robots.txt", lambda visit: visit.say(200, "\n".join(lines).encode(), "text/plain"))


# ---- what goes wrong


def moved(site: MediaSite, path: str, to: str) -> str:
    return site.page(path, lambda visit: visit.say(302, Location=to))


def cut(site: MediaSite, path: str, html: str, times: int) -> str:
    """Cut the connection half-way, for the first visitors."""
    data, left = html.encode(), Counter({path: times})

    def answer(visit: Visit) -> None:
        left[path] -= 1
        visit.head(200, len(data), "text/html")
        visit.wfile.write(data[: len(data) // 2] if left[path] >= 0 else data)
        visit.close_connection = left[path] >= 0

    return site.page(path, answer)


def stalled(site: MediaSite, path: str) -> str:
    """Send half of a page, and nothing more as long as the test lasts."""

    def answer(visit: Visit) -> None:
        visit.head(200, 1000, "text/html")
        visit.wfile.write(b"<p>ay")
        visit.wfile.flush()
        site.over.wait(20)
        visit.close_connection = True

    return site.page(path, answer)


def bomb(site: MediaSite, path: str, n_megabytes: int = 64) -> str:
    """A few kilobytes that unpack to many megabytes."""
    packed = gzip.compress(b"<p>nada</p>     " * (n_megabytes << 16), 6)
    return site.page(path, lambda visit: visit.say(200, packed, Content_Encoding="gzip"))


def busy(site: MediaSite, path: str, html: str, times: int, wait: str = "1") -> str:
    """Ask the first visitors to come again later."""
    left = Counter({path: times})

    def answer(visit: Visit) -> None:
        left[path] -= 1
        if left[path] >= 0:
            visit.say(429, Retry_After=wait)
        else:
            visit.say(200, html.encode())

    return site.page(path, answer)


# ---- APIs


def _api(site: MediaSite, path: str, answer: Callable[[Query], tuple[int, Any]]) -> list[Query]:
    """An address that answers in JSON; gives the list of what it is asked."""
    asked: list[Query] = []

    def say(visit: Visit) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(visit.path).query).items()}
        asked.append(query)
        status, value = answer(query)
        visit.say(status, json.dumps(value).encode(), "application/json")

    site.page(path, say)
    return asked


def lrclib(site: MediaSite, tracks: Sequence[Mapping[str, Any]]) -> tuple[list[Query], list[Query]]:
    """LRCLIB: https://lrclib.net/docs; gives what /api/get and /api/search are asked."""

    def named(query: Query, track: Mapping[str, Any]) -> bool:
        return (query["artist_name"], query["track_name"]) == (
            track["artistName"],
            track["trackName"],
        )

    def get(query: Query) -> tuple[int, Any]:
        for track in tracks:
            length = float(query.get("duration", track["duration"]))
            if named(query, track) and abs(length - track["duration"]) <= 2:
                return 200, track
        missing = "Failed to find specified track"
        return 404, {"code": 404, "name": "TrackNotFound", "message": missing}

    def search(query: Query) -> tuple[int, Any]:
        word = query["track_name"].lower()[:4]
        return 200, [track for track in tracks if word in track["trackName"].lower()]

    return _api(site, "/api/get", get), _api(site, "/api/search", search)


def wiki(site: MediaSite, pages: Mapping[str, str], members: Sequence[str] = ()) -> list[Query]:
    """A MediaWiki: https://www.mediawiki.org/wiki/API:Query; gives what it is asked.

    A category gives two members an answer at most, and the text of the second only later.
    """

    def page(title: str, *, whole: bool = True) -> dict[str, Any]:
        if title not in pages:
            return {"ns": 0, "title": title, "missing": True}
        revision = {"slots": {"main": {"contentmodel": "wikitext", "content": pages[title]}}}
        return {"pageid": 1, "ns": 0, "title": title} | ({"revisions": [revision]} if whole else {})

    def answer(query: Query) -> tuple[int, Any]:
        if "titles" in query:
            titles = query["titles"].split("|")
            return 200, {"batchcomplete": True, "query": {"pages": [page(t) for t in titles]}}
        first = int(query.get("gcmcontinue", "0"))
        some = members[first : first + min(2, int(query["gcmlimit"]))]
        later = "rvcontinue" in query
        found = {"query": {"pages": [page(t, whole=(i == 0) != later) for i, t in enumerate(some)]}}
        if not later and len(some) > 1:
            at = {"gcmcontinue": str(first)} if first else {}
            return 200, found | {"continue": {"rvcontinue": "1", "continue": "||", **at}}
        if first + len(some) < len(members):
            more = {"gcmcontinue": str(first + len(some)), "continue": "gcmcontinue||"}
            return 200, found | {"continue": more}
        return 200, found | {"batchcomplete": True}

    return _api(site, "/w/api.php", answer)


def blog(site: MediaSite, posts: Sequence[tuple[str, str]]) -> list[Query]:
    """The feed of a blog of Blogger, of titles and HTML; gives what it is asked.

    It gives two posts an answer at most, as Blogger cuts long answers short.
    """

    def entry(number: int, title: str, html: str) -> dict[str, Any]:
        link = f"http://blog.example/2007/06/{number}.html"
        return {
            "id": {"$t": f"tag:blogger.com,1999:blog-1.post-{number}"},
            "published": {"$t": "2007-06-01T10:00:00.000+02:00"},
            "category": [{"scheme": "http://www.blogger.com/atom/ns#", "term": "cante"}],
            "title": {"type": "text", "$t": title},
            "content": {"type": "html", "$t": html},
            "link": [
                {"rel": "self", "type": "application/atom+xml", "href": f"{site.url}/feeds/1"},
                {"rel": "alternate", "type": "text/html", "href": link, "title": title},
            ],
        }

    def answer(query: Query) -> tuple[int, Any]:
        first = int(query["start-index"])
        some = posts[first - 1 : first - 1 + min(2, int(query["max-results"]))]
        entries = [entry(first + i, title, html) for i, (title, html) in enumerate(some)]
        feed = {"openSearch$totalResults": {"$t": str(len(posts))}}
        return 200, {"version": "1.0", "feed": feed | ({"entry": entries} if entries else {})}

    return _api(site, "/feeds/posts/default", answer)
