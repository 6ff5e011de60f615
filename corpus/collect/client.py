"""yt-dlp as a library: its options, its errors in one line, and where it may connect to.

Imported where it is used: yt-dlp takes half a second.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from yt_dlp import YoutubeDL
from yt_dlp.networking.common import Request, Response
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.postprocessor.ffmpeg import FFmpegPostProcessor
from yt_dlp.utils import YoutubeDLError, make_archive_id

from corpus.addresses import only_public
from corpus.collect.base import Network, Wanted
from corpus.errors import MediaError, PassedOverError

__all__ = ["archive_id", "download", "listed"]

Info = Mapping[str, Any]

_PAGE_LIMIT = 32 << 20
"""Bytes of a page that is not audio: the longest playlists have a few million."""

_NOWHERE = "/nowhere/ffmpeg"
_ANOTHER = "which only another program would fetch: get the file yourself, and collect that"

_OURSELVES = re.compile(r"https?|m3u8(_native)?|http_dash_segments(_generator)?|ism|f4m")
"""Protocols that yt-dlp speaks itself, with Python's sockets; for the others it starts programs."""

_PATIENCE = 120.0
"""Seconds that a server may ask to wait before the next request."""


def listed(url: str, wanted: Wanted, network: Network) -> Info:
    """What is at a link, without fetching it: a recording, or `entries`, each as far as known.

    Raises MediaError when the link cannot be read.
    """
    options = _options(network) | {"extract_flat": "in_playlist", "playlistend": wanted.limit}
    return _extracted(url, options, network, download=False)


def download(
    url: str, folder: Path, network: Network, *, number: int = 0, judge: Callable[[Info], str]
) -> tuple[Path, Info]:
    """Fetch the audio of a link into a folder, where what is half there is carried on.

    `number` is which of several at the link.  `judge` says of what was found why it is
    not to be fetched, or "".  Raises PassedOverError for that reason, MediaError when there
    is nothing to be had.
    """
    objections: list[str] = []

    def rejected(info: Info, *, incomplete: bool) -> str | None:
        reason = "" if incomplete else judge(info)
        objections.extend([reason] if reason else [])
        return reason or None

    options = _options(network) | {
        "format": "bestaudio/best",
        "outtmpl": str(folder).replace("%", "%%") + "/audio.%(ext)s",
        "match_filter": rejected,
        "playlist_items": str(number) if number else "1,2",  # two: enough to see that it is a list
    }
    info = _extracted(url, options, network, download=True)
    entries = [entry for entry in info.get("entries", (info,)) if entry]
    if objections:
        raise PassedOverError(objections[0])
    if len(entries) > 1:
        raise MediaError(f"{url} holds several recordings: name the link of each")
    files = sorted(path for path in folder.iterdir() if path.suffix not in {".part", ".ytdl"})
    if not files or not entries:
        raise MediaError(f"nothing to fetch at {url}")
    return files[0], entries[0]


def archive_id(info: Info) -> str:
    """Names a recording for good, whatever link led to it; "" where a site gives no such name."""
    extractor = str(info.get("extractor_key") or info.get("ie_key") or "")
    if not info.get("id") or extractor in {"", "Generic", "HTML5MediaEmbed"}:
        return ""
    return str(make_archive_id(extractor, info["id"]))


def _options(network: Network) -> dict[str, Any]:
    """Nothing here runs a program or names a path from outside."""
    return {
        "color": "never",
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
        "cachedir": False,
        "ignoreconfig": True,
        "enable_file_urls": False,
        # FFmpeg would connect to wherever a list leads, past the guard: it is not there for yt-dlp.
        "ffmpeg_location": _NOWHERE,
        "fixup": "never",
        "external_downloader": {"default": "native"},
        "retries": network.retries,
        "fragment_retries": network.retries,
        "extractor_retries": network.retries,
        "retry_sleep_functions": {"http": lambda n: min(2.0**n / 4, 10.0)},
        "socket_timeout": network.timeout,
        "ratelimit": network.rate,
        "cookiefile": str(network.cookies) if network.cookies else None,
        "proxy": network.proxy or None,
    }


def _extracted(url: str, options: dict[str, Any], network: Network, *, download: bool) -> Info:
    """Ask again where a server says that it was asked too often, as it wishes."""
    asking = Retrying(
        retry=retry_if_exception(_too_often),
        wait=_as_wished,
        stop=stop_after_attempt(network.retries + 1),
        reraise=True,
    )
    try:
        with _guarded(network), _Client(options) as client:
            found: Info = asking(client.extract_info, url, download=download) or {}
    except YoutubeDLError as error:
        refusal = _refusal(error)
        if refusal is not None:
            refusal.response.close()
        raise MediaError(_one_line(error, url)) from error
    except (OSError, UnicodeError, ValueError) as error:
        raise MediaError(f"{url} cannot be fetched: {error}") from error
    return found


def _guarded(network: Network) -> contextlib.AbstractContextManager[None]:
    if network.allow_local:
        return contextlib.nullcontext()
    return only_public(network.proxy)


def _refusal(error: BaseException) -> HTTPError | None:
    """The answer of a server that an error came from."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, HTTPError):
            return seen
        cause = getattr(seen, "cause", None)
        inner = getattr(seen, "exc_info", None)
        seen = cause or (inner[1] if inner and inner[1] is not seen else None) or seen.__cause__
    return None


def _too_often(error: BaseException) -> bool:
    refusal = _refusal(error)
    return refusal is not None and refusal.status == 429


def _as_wished(state: RetryCallState) -> float:
    """Seconds to wait: what the server asks for, or more each time."""
    error = state.outcome.exception() if state.outcome else None
    refusal = _refusal(error) if error else None
    asked = refusal.response.get_header("Retry-After") if refusal else None
    seconds = float(asked) if asked and asked.isdigit() else 2.0**state.attempt_number
    return min(seconds, _PATIENCE)


_TAILS = re.compile(
    r"(?:; please report|\. Use --cookies|\s+See\s+https?:|\. (?:This|You) )[\s\S]*"
)


def _one_line(error: YoutubeDLError, url: str) -> str:
    first = str(error).strip().split("\n")[0].removeprefix("ERROR: ")
    if "ffmpeg could not be found" in first:
        first = f"it is a stream or a locked list, {_ANOTHER}"
    return f"{url} cannot be fetched: {_TAILS.sub('', first)}"


class _Client(YoutubeDL):  # type: ignore[misc]  # yt-dlp has no types
    """Reads no page without end, and starts no program that would fetch in its place."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        # Where no downloader is at hand, yt-dlp looks here whether there is an FFmpeg.
        FFmpegPostProcessor._ffmpeg_location.set(_NOWHERE)  # noqa: SLF001

    def dl(
        self, name: str, info: dict[str, Any], subtitle: bool = False, test: bool = False
    ) -> Any:
        """Download a format; not by a program."""
        protocol = str(info.get("protocol") or "")
        if not _OURSELVES.fullmatch(protocol):
            raise YoutubeDLError(f"it comes by {protocol}, {_ANOTHER}")
        return super().dl(name, info, subtitle, test)

    def urlopen(self, request: Request | str) -> Response:
        """Open an address; what is not audio is read up to a limit."""
        response: Response = super().urlopen(request)
        kind = str(response.get_header("Content-Type") or "").lower()
        if kind.startswith(("text/", "application/json", "application/xml")):
            response.read = _limited(response)
        return response


def _limited(response: Response) -> Callable[[int | None], bytes]:
    read, n_bytes = response.read, 0

    def limited(amount: int | None = None) -> bytes:
        nonlocal n_bytes
        pieces: list[bytes] = []
        for piece in _pieces(read, amount):
            n_bytes += len(piece)
            if n_bytes > _PAGE_LIMIT:
                response.close()
                raise YoutubeDLError(f"the page is longer than {_PAGE_LIMIT >> 20} MB")
            pieces.append(piece)
        return b"".join(pieces)

    return limited


def _pieces(read: Callable[[int], bytes], amount: int | None) -> Iterator[bytes]:
    """What is asked for, or all there is, a piece at a time."""
    if amount is not None:
        yield read(amount)
        return
    while piece := read(1 << 20):
        yield piece


class _Silent:
    """yt-dlp writes to the terminal unless it has a logger; what matters comes as an error."""

    def debug(self, message: str) -> None:
        """Drop it."""

    def warning(self, message: str) -> None:
        """Drop it."""

    def error(self, message: str) -> None:
        """Drop it: it is raised as well."""
