"""LRCLIB: letras of released tracks, many with a time for each line.

Asked is for the track by its signature (a duration has to fit within 2 s), and where there is
none under it, by a search: https://lrclib.net/docs
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from rapidfuzz import fuzz

from corpus.errors import LyricsError, PassedOverError, UsageError
from corpus.lyrics.base import Flaw, letra_from, verses_of
from corpus.lyrics.lrc import TimedLine, timed_lines
from corpus.lyrics.web.base import NOWHERE, Page, Read, host_of, json_of
from corpus.records import Recording, Verse
from corpus.text import clean, fold

__all__ = ["Lrclib", "Track", "tracks_of"]

_SERVER = "https://lrclib.net"
_ALIKE = 90.0
"""From this likeness (0..100) of folded names on, a track that a search gave is the one meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What a letra is asked for by; `duration` in seconds, None where it is not known."""

    artist: str
    title: str
    album: str = ""
    duration: float | None = None


def tracks_of(recordings: Iterable[Recording]) -> list[Track]:
    """The tracks that recordings are: those of which singer and title are known, each once."""
    tracks = {
        Track(artist=one.artist, title=one.title, album=one.album, duration=one.duration): None
        for one in recordings
        if one.artist and one.title
    }
    return list(tracks)


class Lrclib:
    """The letras of some tracks."""

    name = "lrclib"
    answers = NOWHERE
    rules = ""
    at_most: int | None = None

    def __init__(
        self, tracks: Sequence[Track], *, address: str = "", limit: int | None = None
    ) -> None:
        """Take the tracks, at most so many, and the address of another server than LRCLIB's.

        Raises UsageError where there are no tracks.
        """
        if not tracks:
            raise UsageError(
                "no recording here has an artist and a title to ask LRCLIB for:"
                " collect recordings first, or give --artist and --title"
            )
        self._server = (address or _SERVER).rstrip("/")
        self.hosts: tuple[str, ...] = (host_of(self._server),)
        self._tracks = tracks[:limit]

    def start(self) -> Iterable[str]:
        """The signature of each track."""
        return [self._signature(track) for track in self._tracks]

    def _signature(self, track: Track) -> str:
        asked = {
            "artist_name": track.artist,
            "track_name": track.title,
            "album_name": track.album,
            "duration": "" if track.duration is None else str(round(track.duration)),
        }
        return f"{self._server}/api/get?{urlencode({k: v for k, v in asked.items() if v})}"

    def follow(self, page: Page) -> Iterable[str]:
        """A search, where there is nothing under the signature."""
        if page.status not in NOWHERE or not page.url.startswith(f"{self._server}/api/get?"):
            return []
        asked = _asked(page.url)
        names = ("artist_name", "track_name", "duration")
        named = [(name, asked[name]) for name in names if name in asked]
        # LRCLIB passes over the duration; here it tells which of several was meant.
        return [f"{self._server}/api/search?{urlencode(named)}"]

    def holds_letras(self, url: str) -> bool:
        """Whether an address is of the API."""
        return url.startswith(f"{self._server}/api/")

    def read(self, page: Page, rights: str) -> Iterable[Read]:
        """The verses of a track, with the times of their lines where LRCLIB has them.

        Raises PassedOverError where it has no such track, LyricsError for what is no answer.
        """
        if page.status in NOWHERE:
            return []
        answer, asked = json_of(page), _asked(page.url)
        if isinstance(answer, Mapping):
            return list(self._track(answer, rights))
        if not isinstance(answer, list):
            raise LyricsError("no answer of LRCLIB")
        tracks = [one for one in answer if isinstance(one, Mapping)]
        best = _best(tracks, asked)
        if best is None:
            wanted = " - ".join(asked.get(name, "") for name in ("artist_name", "track_name"))
            raise PassedOverError(f"LRCLIB has no letra of {wanted}")
        return list(self._track(best, rights))

    def _track(self, track: Mapping[str, Any], rights: str) -> Iterator[Read]:
        number = str(track.get("id", ""))
        timed = timed_lines(str(track.get("syncedLyrics") or ""))
        fields = (("album", "albumName"), ("duration", "duration"))
        said = ((name, clean(str(track.get(field) or ""))) for name, field in fields)
        letra = letra_from(
            "",
            _text(timed) or str(track.get("plainLyrics") or ""),
            title=clean(str(track.get("trackName") or track.get("name") or "")),
            artist=clean(str(track.get("artistName") or "")),
            extra=tuple(pair for pair in said if pair[1]),
        )
        if isinstance(letra, Flaw):
            nothing = (
                "an instrumental: nothing is sung" if track.get("instrumental") else "no words"
            )
            yield Flaw(part=number, reason=nothing)
            return
        verses = verses_of(letra, f"{self._server}/api/get/{number}", rights)
        yield from _with_times(verses, timed)


def _asked(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _best(
    tracks: Sequence[Mapping[str, Any]], asked: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """The track that was meant: singer and title alike, words before none, the nearest length."""

    def alike(track: Mapping[str, Any], field: str, name: str) -> bool:
        return fuzz.token_sort_ratio(_bare(str(track.get(field) or "")), _bare(name)) >= _ALIKE

    def apart(track: Mapping[str, Any]) -> float:
        try:
            return abs(float(track.get("duration") or 0) - float(asked["duration"]))
        except (KeyError, TypeError, ValueError):
            return 0.0

    meant = [
        track
        for track in tracks
        if alike(track, "artistName", asked.get("artist_name", ""))
        and alike(track, "trackName", asked.get("track_name", ""))
    ]
    return min(
        meant,
        key=lambda track: (
            not (track.get("syncedLyrics") or track.get("plainLyrics")),
            apart(track),
        ),
        default=None,
    )


def _bare(name: str) -> str:
    """A name as people without an ñ type it."""
    return fold(name).replace("ñ", "n")


def _text(timed: Sequence[TimedLine]) -> str:
    return "\n".join(_words(line) for line in timed)


def _words(line: TimedLine) -> str:
    return " ".join(word for _, word in line.parts if word)


def _with_times(verses: Sequence[Verse], timed: Sequence[TimedLine]) -> Iterator[Verse]:
    """Each verse with the seconds at which its lines begin, as extra field "line times".

    Lines are looked for in order; a verse with a line that has no time gets none.
    """
    sung = [(fold(_words(line)), line.start) for line in timed]
    at = 0
    for verse in verses:
        starts: list[float] = []
        for line in verse.lines:
            place = next((i for i in range(at, len(sung)) if sung[i][0] == fold(line)), None)
            if place is not None:
                starts.append(sung[place][1])
                at = place + 1
        whole = bool(starts) and len(starts) == len(verse.lines)
        times = " ".join(f"{start:.2f}" for start in starts)
        yield _with(verse, (("line times", times),)) if whole else verse


def _with(verse: Verse, extra: tuple[tuple[str, str], ...]) -> Verse:
    place = verse.sources[0]
    return replace(verse, sources=(replace(place, extra=(*place.extra, *extra)),))
