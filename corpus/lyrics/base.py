"""What a lyric source is: it reads letras out of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corpus.errors import LyricsError
from corpus.lyrics.letra import read_letra
from corpus.records import UNKNOWN_RIGHTS, Verse, VerseSource
from corpus.rights import TEXT_MARKS, rights_of, text_rights
from corpus.text import decode, fold, is_binary

__all__ = ["Flaw", "Letra", "LyricSource", "letra_from", "read_text", "verses_of"]

_Pairs = tuple[tuple[str, str], ...]
_YEARS = frozenset({"year", "ano", "año", "date", "fecha"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Letra:
    """The text of one song: stanzas, each a tuple of lines as sung, and what is said of it.

    `written` and `palos` are those of the stanzas, where there are any: how each stood
    before repetitions were written out, and the heading that it stands under.
    """

    part: str  # names the letra inside its file; "" where the file is one letra
    stanzas: tuple[tuple[str, ...], ...]
    written: tuple[str, ...] = ()
    palos: tuple[str, ...] = ()
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


def _rights(mine: str, given: str) -> str:
    """A suggestion gives way to what is given for all; what the letra says itself does not."""
    return given if mine in TEXT_MARKS and given != UNKNOWN_RIGHTS else mine


def _of(values: tuple[str, ...], position: int) -> str:
    return values[position] if values else ""


def _as_written(text: str) -> _Pairs:
    return (("as written", text),) if text else ()


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or Windows-1252; raises LyricsError if there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LyricsError(f"{path} cannot be read: {error.strerror}") from error
    if is_binary(data):
        raise LyricsError(f"{path} is no text")
    return decode(data)


def letra_from(part: str, text: str, *, extra: _Pairs = (), **known: str) -> Letra | Flaw:
    """A letra from its text; credits in it fill what is not `known`: title, artist, palo, rights.

    A Flaw where no word is sung in it.
    """
    read = read_letra(text)
    if not read.stanzas:
        return Flaw(part=part, reason="a letra with no words")
    said = dict(read.said)
    fields = {name: known.get(name) or said.get(name, "") for name in ("title", "artist", "palo")}
    mine = known.get("rights", "")
    unknown = mine in {"", UNKNOWN_RIGHTS}
    year = next((value for name, value in (*extra, *read.said) if fold(name) in _YEARS), "")
    author = said.get("author") or dict(extra).get("author", "")
    rest = tuple((name, value) for name, value in read.said if fields.get(name) != value)
    return Letra(
        part=part,
        stanzas=tuple(stanza.lines for stanza in read.stanzas),
        written=tuple(stanza.written for stanza in read.stanzas),
        palos=tuple(stanza.palo for stanza in read.stanzas),
        rights=text_rights(author, year) if unknown else rights_of(mine),
        extra=tuple(sorted({**dict(rest), **dict(extra)}.items())),
        **fields,
    )


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
                    palo=letra.palo or _of(letra.palos, position),
                    rights=_rights(letra.rights, rights),
                    extra=letra.extra + _as_written(_of(letra.written, position)),
                ),
            ),
        )
        for position, lines in enumerate(letra.stanzas)
    )
