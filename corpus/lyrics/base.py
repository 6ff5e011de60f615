"""What a lyric source is: it reads letras out of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.errors import LyricsError
from corpus.records import UNKNOWN_RIGHTS, Verse, VerseSource
from corpus.text import decode, is_binary

__all__ = ["Flaw", "Letra", "LyricSource", "read_text", "verses_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letra:
    """The text of one song: stanzas, each a tuple of lines as written, and what is said of it."""

    part: str  # names the letra inside its file; "" where the file is one letra
    stanzas: tuple[tuple[str, ...], ...]
    title: str = ""
    artist: str = ""
    palo: str = ""
    rights: str = UNKNOWN_RIGHTS
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A part of a file that holds no letra, and why."""

    part: str
    reason: str


class LyricSource(Protocol):
    """One format.  A module of corpus/lyrics with an object `source` is found by itself."""

    suffixes: frozenset[str]

    def read(self, path: Path) -> Iterable[Letra | Flaw]:
        """The letras of a file, and its parts that are none.

        Raises LyricsError when the file as a whole cannot be read.
        """


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or Windows-1252; raises LyricsError if there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LyricsError(f"{path} cannot be read: {error.strerror}") from error
    if is_binary(data):
        raise LyricsError(f"{path} is no text")
    return decode(data)


def verses_of(letra: Letra, source: str, rights: str = UNKNOWN_RIGHTS) -> tuple[Verse, ...]:
    """The verses of a letra; `source` names its file, `rights` are those where it says none."""
    name = f"{source}:{letra.part}" if letra.part else source
    return tuple(
        Verse(
            lines=lines,
            sources=(
                VerseSource(
                    source=name,
                    position=position,
                    lines=lines,
                    title=letra.title,
                    artist=letra.artist,
                    palo=letra.palo,
                    rights=rights if letra.rights == UNKNOWN_RIGHTS else letra.rights,
                    extra=letra.extra,
                ),
            ),
        )
        for position, lines in enumerate(letra.stanzas)
    )
