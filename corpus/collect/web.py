"""Audio behind a link, fetched by yt-dlp: best audio as it came, no re-encoding."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus.collect.base import Found, printable
from corpus.errors import MediaError
from corpus.text import clean

__all__ = ["Fetched", "collector", "fetched"]


class Fetched:
    """A file that was fetched, and what the site said of it."""

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path = path
        said = {name: clean(str(value)) for name, value in info.items() if value}
        self.tags = {
            "title": said.get("track") or said.get("title", ""),
            "artist": said.get("artist", ""),
            "album": said.get("album", ""),
            "year": said.get("release_year", ""),
            "rights": said.get("license", ""),
        }
        self.extra = tuple(
            (name, said[name])
            for name in ("webpage_url", "extractor", "uploader", "upload_date")
            if said.get(name)
        )


@contextlib.contextmanager
def fetched(url: str) -> Iterator[Fetched]:
    """Fetch a link into a folder that goes at the end; raises MediaError when it cannot be had."""
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import YoutubeDLError

    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        options = {
            "format": "bestaudio/best",
            "outtmpl": f"{folder}/audio.%(ext)s",
            "noplaylist": True,
            "playlistend": 2,  # enough to see that it is a list
            "color": "never",
            "quiet": True,
            "no_warnings": True,
            "noprogress": True,
            "logger": _Silent(),
            "retries": 3,
            "socket_timeout": 20,
            "cachedir": False,
        }
        try:
            with YoutubeDL(options) as client:
                info = client.extract_info(url, download=True) or {}
        except YoutubeDLError as error:
            raise MediaError(_one_line(str(error), url)) from error
        entries = list(info.get("entries", (info,)))
        if len(entries) > 1:
            raise MediaError(f"{url} holds several recordings: name the link of each")
        files = sorted(Path(folder).iterdir())
        if not files:
            raise MediaError(f"nothing to fetch at {url}")
        yield Fetched(files[0], entries[0])


def _one_line(message: str, url: str) -> str:
    first = message.strip().split("\n")[0].removeprefix("ERROR: ")
    return f"{url} cannot be fetched: {first.split('; please report')[0]}"


class _Silent:
    """yt-dlp writes to the terminal unless it has a logger; what matters comes as an error."""

    def debug(self, message: str) -> None:
        """Drop it."""

    def warning(self, message: str) -> None:
        """Drop it."""

    def error(self, message: str) -> None:
        """Drop it: it is raised as well."""


class WebCollector:
    """Takes a link."""

    name = "web"

    def accepts(self, source: str) -> bool:
        """Whether the source is a URL."""
        return "://" in source

    def find(self, source: str) -> Iterable[Found]:
        """The link itself; what is behind it is known when it is fetched."""
        name = printable(source)
        return [Found(key=name, inputs=name, location=source)]


collector = WebCollector()
