"""Audio behind a link, fetched by yt-dlp: best audio as it came, no re-encoding."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from corpus.collect.base import Found
from corpus.errors import MediaError

__all__ = ["Fetched", "collector", "fetched"]


class Fetched:
    """A file that was fetched, and what the site said of it."""

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path = path
        self.tags = {
            "title": str(info.get("track") or info.get("title") or ""),
            "artist": str(info.get("artist") or ""),
            "album": str(info.get("album") or ""),
            "year": str(info.get("release_year") or ""),
            "rights": str(info.get("license") or ""),
        }
        self.extra = tuple(
            (name, str(info[name]))
            for name in ("webpage_url", "extractor", "uploader", "upload_date")
            if info.get(name)
        )


@contextlib.contextmanager
def fetched(url: str) -> Iterator[Fetched]:
    """Fetch a link into a folder that goes at the end; raises MediaError when it cannot be had."""
    from yt_dlp import YoutubeDL
    from yt_dlp.utils import DownloadError

    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        options = {
            "format": "bestaudio/best",
            "outtmpl": f"{folder}/audio.%(ext)s",
            "noplaylist": True,
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
                info = client.extract_info(url, download=True)
        except DownloadError as error:
            raise MediaError(_one_line(str(error), url)) from error
        files = sorted(Path(folder).iterdir())
        if not files:
            raise MediaError(f"nothing to fetch at {url}")
        yield Fetched(files[0], info or {})


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
        return [Found(key=source, inputs=source, location=source)]


collector = WebCollector()
